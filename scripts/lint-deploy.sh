#!/usr/bin/env bash
# What deploy/ holds and no test runs: units of systemd, the Dockerfile, the compose files, the alerts of Prometheus.
. "$(dirname "$0")/env.sh"

hadolint deploy/docker/Dockerfile
dclint --max-warnings 0 --config deploy/docker/dclint.json deploy/docker/compose.yaml \
    deploy/docker/redis-sentinel.yaml deploy/docker/redis-cluster.yaml
said=$(promtool check rules deploy/prometheus/alerts.yml 2>&1) || fail "$said"

# systemd looks for the program: here one that is everywhere stands for it. Of a template, an instance is looked at.
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cp deploy/systemd/* "$folder"
sed -i 's#^ExecStart=/opt/jpulse/server#ExecStart=/bin/true#' "$folder"/*.service
said=$(systemd-analyze verify --man=no "$folder"/jpulse@{0,1}.{service,socket} "$folder"/jpulse.target "$folder"/jpulse-launcher.service 2>&1) ||
    fail "$said"
# A setting it does not know is only a warning to it.
[ -z "$said" ] || fail "$said"
say "deploy/ is sound"
