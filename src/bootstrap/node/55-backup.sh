
# --- Masters: snapshots of etcd ----------------------------------------------------------------------------------

backup() {
  : "${QUORATE_KEEP_DAYS:?}"
  local container file=$ETCD_DATA/snapshot.db
  container=$(crictl ps --quiet --name '^etcd$' --state Running)
  [[ -n $container ]] || die "etcd does not run here; the snapshot is left to the other masters"
  rm -f "$file" "$file.part"
  crictl exec "$container" etcdctl --endpoints https://127.0.0.1:2379 --cacert "$PKI/etcd/ca.crt" \
    --cert "$PKI/etcd/healthcheck-client.crt" --key "$PKI/etcd/healthcheck-client.key" snapshot save "$file"
  aws s3 cp --only-show-errors "$file" "$STORE/backups/etcd/$(stamp now)-$QUORATE_NAME.db"
  rm -f "$file"
  expire_backups
}

# stamp WHEN: a time as it stands in the keys, which so sort by age.
stamp() {
  date --utc --date "$1" +%Y%m%dT%H%M%SZ
}

# Removes what is past its time, with all of its versions: a bucket that keeps versions would keep paying for them.
expire_backups() {
  local oldest prefix=$QUORATE_FOLDER/backups/etcd/20 key version
  oldest=$QUORATE_FOLDER/backups/etcd/$(stamp "$QUORATE_KEEP_DAYS days ago")
  while read -r key version; do
    if [[ $key == "$prefix"* && $key < "$oldest" ]]; then
      say "removing s3://$QUORATE_BUCKET/$key, which is older than $QUORATE_KEEP_DAYS days"
      aws s3api delete-object --bucket "$QUORATE_BUCKET" --key "$key" --version-id "$version" > /dev/null
    fi
  done < <(aws s3api list-object-versions --bucket "$QUORATE_BUCKET" --prefix "$prefix" --output text \
    --query '[Versions, DeleteMarkers][] | [?Key].[Key, VersionId]')
}
