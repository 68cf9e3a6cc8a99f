#!/usr/bin/env bash
# Brings up a one-node Ceph (mon, osd) with S3 gateways (radosgw) as plain processes on 127.0.0.1: no systemd, no container.
# Idempotent: a second call with a live cluster changes nothing; a half-dead one is repaired by starting only the missing daemons.
# ceph-down.sh ends what this started, and nothing else.
#
#   CEPH_HOME=DIR                state; must be set, and short: unix sockets lie below it
#   CEPH_PORT_BASE=N             16700: ports N (mon), N+1.. (gateways, http), N+9 (first gateway, https), N+10..N+99 (osd)
#   CEPH_RGW_COUNT=N             1: gateways, at most 8
#   CEPH_HTTPS=1                 0: the first gateway also speaks https, with a certificate of its own authority (CEPH_HOME/tls/ca.pem)
#   CEPH_DNS_NAME=NAME           s3.localhost: virtual-hosted buckets are BUCKET.NAME
#   CEPH_STORE_BYTES=N           8589934592: size of the sparse file that holds everything. At 95 % Ceph blocks every write and delete, without an error
#   CEPH_BUCKETS="a b"           kvcache: buckets to make (names of 3 characters or more)
#   CEPH_BUCKET_QUOTA=2G         none: every bucket answers 403 QuotaExceeded above it
#   CEPH_ACCESS_KEY, CEPH_SECRET_KEY
#   CEPH_OWNER_PID=PID           none: when that process has ended, the cluster is taken down and wiped
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
: "${CEPH_HOME:?set it to a directory for the state}"
base=${CEPH_PORT_BASE:-16700}
CEPH_MON_PORT=$base CEPH_RGW_PORT=$((base + 1)) CEPH_TLS_PORT=$((base + 9)) CEPH_OSD_PORT=$((base + 10))
CEPH_RGW_COUNT=${CEPH_RGW_COUNT:-1}
CEPH_HTTPS=${CEPH_HTTPS:-0}
CEPH_DNS_NAME=${CEPH_DNS_NAME:-s3.localhost}
CEPH_STORE_BYTES=${CEPH_STORE_BYTES:-8589934592}
CEPH_ACCESS_KEY=${CEPH_ACCESS_KEY:-ferry-lab}
CEPH_SECRET_KEY=${CEPH_SECRET_KEY:-ferry-lab-key}
CEPH_BUCKETS=${CEPH_BUCKETS-kvcache}
CEPH_TIMEOUT=${CEPH_TIMEOUT:-60}
H=$CEPH_HOME; CONF=$H/ceph.conf
t0=$(date +%s%N)
say() { printf '[ceph-up %6d ms] %s\n' $(( ($(date +%s%N)-t0)/1000000 )) "$*" >&2; }
die() { say "FAILED: $*"; tail -n 15 "$H"/log/*.log "$H"/log/*.out 2>/dev/null >&2 || true; exit 1; }

for command in ceph-mon ceph-osd radosgw ceph-authtool curl; do
  command -v "$command" >/dev/null || { echo "$command is missing: apt-get install --no-install-recommends ceph-mon ceph-osd radosgw curl" >&2; exit 2; }
done

[ "$CEPH_STORE_BYTES" -ge 4294967296 ] || { echo "CEPH_STORE_BYTES below 4 GiB: such a store wedges long before it is full" >&2; exit 2; }
mkdir -p "$H"/{mon,osd,rgw,log,run}
exec 9>"$H/lock"; flock -w "$CEPH_TIMEOUT" 9 || die "another ceph-up holds $H/lock"

# --- processes: NAME -> run/NAME.pid holding "PID STARTTIME", so a reused pid is never ours
starttime() { local s a; s=$(cat "/proc/$1/stat" 2>/dev/null) || return 1; read -ra a <<<"${s##*) }"; [ "${a[0]}" != Z ] || return 1; echo "${a[19]}"; }
alive() { local p st; [ -s "$H/run/$1.pid" ] || return 1; read -r p st < "$H/run/$1.pid"; [ "$(starttime "$p" || true)" = "$st" ]; }
launch() { # launch NAME CMD...
  local n=$1; shift
  setsid "$@" </dev/null >"$H/log/$n.out" 2>&1 9>&- &
  local p=$!
  echo "$p $(starttime "$p" || echo 0)" > "$H/run/$n.pid"
}
wait_for() { # wait_for NAME-of-daemon WHAT CMD...
  local n=$1 what=$2; shift 2; local end=$(( $(date +%s) + CEPH_TIMEOUT ))
  until "$@" >/dev/null 2>&1; do
    alive "$n" || die "$n died while waiting for $what"
    [ "$(date +%s)" -lt "$end" ] || die "no $what after $CEPH_TIMEOUT s"
    sleep 0.1
  done
}
# a server of somebody else on our port must never be taken for ours
port_free() { ! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
C() { ceph -c "$CONF" --connect-timeout 20 "$@"; }

if [ ! -s "$CONF" ]; then
  FSID=$(cat /proc/sys/kernel/random/uuid); OSD_UUID=$(cat /proc/sys/kernel/random/uuid)
  echo "$OSD_UUID" > "$H/osd.uuid"
  cat > "$CONF.tmp" <<CONF
[global]
fsid = $FSID
mon host = v2:127.0.0.1:$CEPH_MON_PORT
mon initial members = a
ms bind msgr1 = false
ms bind port min = $CEPH_OSD_PORT
ms bind port max = $((CEPH_OSD_PORT+89))
public addr = 127.0.0.1
cluster addr = 127.0.0.1
auth cluster required = cephx
auth service required = cephx
auth client required = cephx
cephx sign messages = false
keyring = $H/keyring
run dir = $H/run
admin socket = $H/run/\$name.asok
log file = $H/log/\$name.log
mon cluster log file = $H/log/cluster.log
log to stderr = false
err to stderr = true
log max recent = 500
pid file =
crash dir = $H/log
# one copy of everything, few PGs
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 8
osd pool default pgp num = 8
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
mon allow pool size one = true
mon allow pool delete = true
mon max pg per osd = 1000
mon warn on pool no redundancy = false
mon data avail crit = 1
mon data avail warn = 2
auth allow insecure global id reclaim = false
paxos propose interval = 0.02
paxos min wait = 0.01
# a test cluster on loopback: no data CRC, no debug ring
ms crc data = false
debug ms = 0/0
debug osd = 0/0
debug rgw = 0/1
debug bluestore = 0/0
debug rocksdb = 0/0
[mon]
mon data = $H/mon
[osd]
osd data = $H/osd
osd memory target = 1073741824
bdev aio poll ms = 10
osd max object size = 268435456
osd objectstore = bluestore
bluestore block size = $CEPH_STORE_BYTES
bluestore csum type = none
[client]
rgw data = $H/rgw
rgw enable apis = s3, admin
rgw enable usage log = false
rgw enable ops log = false
rgw run sync thread = false
rgw thread pool size = 64
rgw override bucket index max shards = 1
rgw dynamic resharding = false
rgw lifecycle work time = 00:00-23:59
rgw put obj min window size = 67108864
rgw put obj max window size = 134217728
rgw get obj window size = 67108864
rgw gc obj min wait = 5
rgw gc processor period = 10
rgw gc processor max time = 10
rgw dns name = $CEPH_DNS_NAME
CONF
  mv "$CONF.tmp" "$CONF"
fi

# --- mon
if [ ! -s "$H/mon/kv_backend" ]; then
  rm -rf "$H/mon"; mkdir -p "$H/mon"
  FSID=$(sed -n 's/^fsid = //p' "$CONF")
  monmaptool --create --clobber --fsid "$FSID" --addv a "[v2:127.0.0.1:$CEPH_MON_PORT]" "$H/monmap" >/dev/null
  # one keyring for everything (with auth "none" the OSD dies of 'wrong fsid': it speaks before it has the monmap)
  key() { ceph-authtool "$H/keyring" --gen-key "$@" >/dev/null; }
  rm -f "$H/keyring"; (umask 077; : > "$H/keyring")
  key -n mon. --cap mon 'allow *'
  key -n client.admin --cap mon 'allow *' --cap osd 'allow *' --cap mgr 'allow *' --cap mds 'allow *'
  key -n osd.0 --cap mon 'allow profile osd' --cap osd 'allow *' --cap mgr 'allow profile osd'
  for ((i = 0; i < 8; i++)); do key -n client.rgw.$i --cap mon 'allow rwx' --cap osd 'allow rwx' --cap mgr 'allow rw'; done
  ceph-mon -c "$CONF" -i a --mkfs --monmap "$H/monmap" --keyring "$H/keyring" >"$H/log/mon-mkfs.out" 2>&1 || die "mon mkfs"
fi
alive mon.a || { port_free "$CEPH_MON_PORT" || die "port $CEPH_MON_PORT is in use by another program (CEPH_PORT_BASE)"; launch mon.a ceph-mon -c "$CONF" -i a -f; }
wait_for mon.a "mon quorum" C mon stat
say "mon up"

# --- osd
if ! alive osd.0; then
  if [ ! -s "$H/osd/ready" ]; then
    rm -rf "$H/osd"; mkdir -p "$H/osd"
    C osd new "$(cat "$H/osd.uuid")" >/dev/null
    ceph-osd -c "$CONF" -i 0 --mkfs --osd-uuid "$(cat "$H/osd.uuid")" >"$H/log/osd-mkfs.out" 2>&1 || die "osd mkfs"
    echo ok > "$H/osd/ready"
  fi
  launch osd.0 ceph-osd -c "$CONF" -i 0 -f
fi
osd_is_up() { C osd stat -f json | grep -q '"num_up_osds": *1'; }
wait_for osd.0 "osd.0 up" osd_is_up
say "osd up"

# --- radosgw
if [ "$CEPH_HTTPS" = 1 ] && [ ! -s "$H/tls/server.pem" ]; then
  bash "$here/certificates.sh" "$H/tls" "$CEPH_DNS_NAME" >"$H/log/tls.out" 2>&1 || die "certificates"
fi
for ((i = 0; i < CEPH_RGW_COUNT; i++)); do
  n=rgw.$i; port=$((CEPH_RGW_PORT+i))
  end=$(( $(date +%s) + CEPH_TIMEOUT )); tries=0
  until alive $n && curl -sS -o /dev/null --max-time 5 "http://127.0.0.1:$port/" 2>/dev/null; do
    # it may still be in the last second of a SIGTERM from outside: then start another once it has gone
    if ! alive $n; then
      port_free "$port" || die "port $port is in use by another program (CEPH_PORT_BASE)"
      [ $((tries++)) -lt 3 ] || die "$n does not stay up"
      tls=""
      [ "$CEPH_HTTPS$i" != 10 ] || tls="ssl_endpoint=127.0.0.1:$CEPH_TLS_PORT ssl_certificate=$H/tls/server.pem ssl_private_key=$H/tls/server.key"
      launch $n radosgw -c "$CONF" -n "client.$n" -f --rgw-frontends "beast endpoint=127.0.0.1:$port tcp_nodelay=1 $tls"
    fi
    [ "$(date +%s)" -lt "$end" ] || die "no S3 answer on port $port after $CEPH_TIMEOUT s"
    sleep 0.1
  done
  say "radosgw $n answers on http://127.0.0.1:$port"
done

# --- user and buckets
if [ ! -s "$H/user.json" ]; then
  radosgw-admin -c "$CONF" user create --uid=ferry --display-name=ferry --max-buckets=0 \
     --access-key="$CEPH_ACCESS_KEY" --secret-key="$CEPH_SECRET_KEY" > "$H/user.json.tmp" 2>"$H/log/user.out" \
   || radosgw-admin -c "$CONF" user info --uid=ferry > "$H/user.json.tmp" 2>>"$H/log/user.out" || die "user create"
  mv "$H/user.json.tmp" "$H/user.json"
  say "user ferry"
fi
if [ -n "${CEPH_BUCKET_QUOTA:-}" ] && [ "$(cat "$H/quota" 2>/dev/null)" != "$CEPH_BUCKET_QUOTA" ]; then
  if ! { radosgw-admin -c "$CONF" quota set --quota-scope=bucket --uid=ferry --max-size="$CEPH_BUCKET_QUOTA" &&
         radosgw-admin -c "$CONF" quota enable --quota-scope=bucket --uid=ferry; } >"$H/log/quota.out" 2>&1; then die "quota"; fi
  echo "$CEPH_BUCKET_QUOTA" > "$H/quota"; say "bucket quota $CEPH_BUCKET_QUOTA"
fi
for b in $CEPH_BUCKETS; do
  code=$(curl -sS -o "$H/log/bucket.out" -w '%{http_code}' --max-time 30 -X PUT --aws-sigv4 "aws:amz:default:s3" \
     -H "x-amz-content-sha256: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" \
     --user "$CEPH_ACCESS_KEY:$CEPH_SECRET_KEY" "http://127.0.0.1:$CEPH_RGW_PORT/$b") || die "bucket $b"
  case $code in 200|409) ;; *) die "bucket $b: HTTP $code";; esac
  say "bucket $b"
done

# --- reaper
if [ -n "${CEPH_OWNER_PID:-}" ] && ! alive reaper; then
  launch reaper bash -c 'while kill -0 "$1" 2>/dev/null; do sleep 2; done; exec bash "$2/ceph-down.sh" --wipe' reaper "$CEPH_OWNER_PID" "$here"
fi
say "ready: http://127.0.0.1:$CEPH_RGW_PORT"
