#!/usr/bin/env bash
# certificates.sh DIR NAME: an authority of its own (ca.pem) and a server's certificate and key signed by it (server.pem, server.key), for 127.0.0.1,
# localhost, NAME and everything below NAME. Two days; for tests on loopback only.
set -euo pipefail
dir=$1 name=$2
mkdir -p "$dir"
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj '/CN=Ferry lab authority' -keyout "$dir/ca.key" -out "$dir/ca.pem"
openssl req -newkey rsa:2048 -nodes -subj "/CN=$name" -keyout "$dir/server.key" -out "$dir/server.csr"
printf 'subjectAltName=DNS:localhost,DNS:%s,DNS:*.%s,IP:127.0.0.1\n' "$name" "$name" > "$dir/san"
openssl x509 -req -days 2 -in "$dir/server.csr" -CA "$dir/ca.pem" -CAkey "$dir/ca.key" -CAcreateserial -extfile "$dir/san" -out "$dir/server.pem"
