apiVersion: kops.k8s.io/v1alpha2
kind: Cluster
metadata:
  name: chat.poeticoding.com
