
# --- Masters: temporary access to the API ------------------------------------------------------------------------

# A temporary rule in the API's security group has its end in its description: `quorate access open` and
# `quorate apply` write it.
readonly GRANT='^quorate grant until ([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z) '

# Removes expired rules by their ids: a range that was allowed again meanwhile has a rule with another id.
close_access() {
  local now groups group rules rule description answer
  now=$(date --utc +%Y-%m-%dT%H:%M:%SZ)
  groups=$(aws ec2 describe-security-groups --output text --query 'SecurityGroups[].GroupId' \
    --filters "Name=tag:quorate.dev/cluster,Values=$QUORATE_CLUSTER" Name=tag:quorate.dev/object,Values=security-group/api)
  for group in $groups; do
    rules=$(aws ec2 describe-security-group-rules --output text --filters "Name=group-id,Values=$group" \
      --query 'SecurityGroupRules[?!IsEgress].[SecurityGroupRuleId, Description]')
    while IFS=$'\t' read -r rule description; do
      if [[ ! $description =~ $GRANT || ${BASH_REMATCH[1]} > $now ]]; then
        continue
      fi
      say "$rule has expired: $description"
      answer=$(aws ec2 revoke-security-group-ingress --group-id "$group" --security-group-rule-ids "$rule" 2>&1) ||
        [[ $answer == *NotFound* ]] || die "$rule of $group could not be revoked: $answer"
    done <<< "$rules"
  done
}
