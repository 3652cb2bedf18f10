
# --- Every machine: images from ECR ------------------------------------------------------------------------------

# A private registry of Amazon's: by IPv4 or both, with FIPS or without, in any region, which is the second part.
readonly ECR_REGISTRY='^[0-9]{12}\.dkr[.-]ecr(-fips)?\.([a-z]+(-[a-z]+)+-[0-9]+)\.(amazonaws\.com|amazonaws\.com\.cn|on\.aws)$'

# Configures this script as the kubelet's credential provider for such registries: there is nothing to download. The
# kubelet does not start without the file that its arguments name.
write_image_credentials() {
  write "$OURS/images.yaml" 0644 << 'END'
apiVersion: kubelet.config.k8s.io/v1
kind: CredentialProviderConfig
providers:
  - name: node.sh
    args: [registry]
    apiVersion: credentialprovider.kubelet.k8s.io/v1
    matchImages:
      - "*.dkr.ecr.*.amazonaws.com"
      - "*.dkr.ecr.*.amazonaws.com.cn"
      - "*.dkr.ecr-fips.*.amazonaws.com"
      - "*.dkr-ecr.*.on.aws"
      - "*.dkr-ecr-fips.*.on.aws"
    defaultCacheDuration: 6h
END
}

# Answers the kubelet's CredentialProviderRequest in standard input. The password lasts for 12 hours, and is the same for
# every registry that this machine's role may read. It is no argument of any process. The kubelet waits for a minute.
answer_kubelet() {
  local registry
  registry=$(jq --raw-output '.image // "" | split("/")[0] // ""')
  [[ $registry =~ $ECR_REGISTRY ]] || die "${registry@Q} is not an ECR registry"
  AWS_MAX_ATTEMPTS=3 aws ecr get-login-password --cli-connect-timeout 5 --region "${BASH_REMATCH[2]}" |
    jq --raw-input --slurp --compact-output --arg registry "$registry" 'rtrimstr("\n")
      | if . == "" then error("an empty password") else {
        apiVersion: "credentialprovider.kubelet.k8s.io/v1",
        kind: "CredentialProviderResponse",
        cacheKeyType: "Registry",
        cacheDuration: "6h",
        auth: {($registry): {username: "AWS", password: .}}
      } end' || die "no password for $registry: check that this machine's role allows ecr:GetAuthorizationToken"
}
