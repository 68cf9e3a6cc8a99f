namespace Ferry.Cluster.Diagnosis.Signatures;

/// <summary>What S3 gateways, Ceph, Redis and disks say, in their own logs or through their clients.</summary>
internal static class StorageSignatures
{
    public static IReadOnlyList<Signature> All { get; } =
    [
        new()
        {
            Id = "DIAG-S3-01",
            Component = "S3",
            Severity = SignatureSeverity.Failure,
            Title = "The clocks of client and store differ by more than 15 minutes",
            Lines = [new(["RequestTimeTooSkewed", "difference between the request time and the current time is too large"])],
            Cause = "A signature is valid for 15 minutes; this host's clock, or the gateway's, is further off than that.",
            Fix = "Run chrony or systemd-timesyncd on both hosts; a container has its host's clock.",
            Sources = ["LeastAuthority/leastauthority.com#157", "aws/aws-sdk-net#211"],
            Needs = [new("both clocks", "date -u; curl -sI URL | grep -i ^date")],
        },
        new()
        {
            Id = "DIAG-S3-02",
            Component = "S3",
            Severity = SignatureSeverity.Failure,
            Title = "The store does not accept the signature",
            Lines = [new(["SignatureDoesNotMatch", "InvalidAccessKeyId"])],
            Cause = "Wrong or swapped keys, or a proxy that changes the Host header the client has signed (with or without :80, path style against host style).",
            Fix = "Check key id and secret by reference; let the client use exactly the endpoint name that the gateway knows.",
            Sources = ["s3tools/s3cmd#1059", "irods/irods_resource_plugin_s3#1835"],
            Needs = [new("the same keys by another client", "aws s3 ls --endpoint-url URL s3://BUCKET")],
        },
        new()
        {
            Id = "DIAG-S3-03",
            Component = "S3",
            Severity = SignatureSeverity.Failure,
            Title = "The bucket does not exist, as this client asks for it",
            Lines = [new("NoSuchBucket")],
            Cause = "The bucket was never created; or client and gateway disagree on path style and host style, so that a part of the host or of the key is taken for the bucket.",
            Fix = "Create it, or set the addressing style: path style for MinIO and for Ceph without rgw_dns_name.",
            LintRules = ["FERRY-LMC032"],
            Sources = ["LMCache/LMCache#2621", "ceph/ceph rgw_common.h"],
            Needs = [new("the buckets that exist", "aws s3 ls --endpoint-url URL")],
        },
        new()
        {
            Id = "DIAG-S3-04",
            Component = "S3",
            Severity = SignatureSeverity.Failure,
            Title = "The keys may not do this",
            Lines = [new("AccessDenied", @"\bAccessDenied\b")],
            Cause = "The user of these keys may not read, write or list this bucket.",
            Fix = "Grant s3:GetObject, s3:PutObject, s3:DeleteObject and s3:ListBucket on the bucket; on Ceph make the user its owner or set a bucket policy.",
            Sources = ["irods/irods_resource_plugin_s3#1835"],
        },
        new()
        {
            Id = "DIAG-S3-05",
            Component = "S3",
            Severity = SignatureSeverity.Degraded,
            Title = "The quota of the bucket or user is used up",
            Lines = [new("QuotaExceeded")],
            Cause = "The store takes no more objects: nothing new is cached there.",
            Fix = "Raise the quota, set a lifecycle rule that expires old objects, or give the cache its own limit (max_capacity_gb; Ferry: cache.remote.capacity).",
            Sources = ["seen with Ceph RGW 16: 403 QuotaExceeded"],
            Needs = [new("the quota", "radosgw-admin bucket stats --bucket BUCKET")],
        },
        new()
        {
            Id = "DIAG-S3-06",
            Component = "S3",
            Severity = SignatureSeverity.Failure,
            Title = "TLS with a gateway that speaks plain HTTP, or whose certificate is not trusted",
            Lines = [new(["AWS_IO_TLS_ERROR_NEGOTIATION_FAILURE", "CERTIFICATE_VERIFY_FAILED"])],
            Cause = "LMCache's S3 client uses TLS unless extra_config.disable_tls is true; http:// in a URL is not understood. Or the gateway's certificate is signed by an authority that the container does not know.",
            Fix = "For a plain http endpoint: extra_config {\"disable_tls\":true}; for a private authority mount its certificate (s3_ca_bundle, AWS_CA_BUNDLE).",
            LintRules = ["FERRY-LMC034"],
            Sources = ["mlcommons/storage#327", "awslabs/mountpoint-s3#1661"],
            Needs = [new("what listens there", "openssl s_client -connect HOST:PORT </dev/null | head -n 3")],
        },
        new()
        {
            Id = "DIAG-S3-07",
            Component = "S3",
            Severity = SignatureSeverity.Failure,
            Title = "The endpoint's name does not resolve",
            Lines = [new(["AWS_IO_DNS_INVALID_NAME", "AWS_IO_DNS_QUERY_FAILED"])],
            Cause = "Host-style addressing puts the bucket before the endpoint's name, which needs a wildcard record; or the name is only known outside the container.",
            Fix = "Add a DNS record *.s3.example.com, or use path style.",
            Sources = ["awslabs/aws-c-io", "LMCache/LMCache#2621"],
            Needs = [new("the name from inside the container", "docker exec NODE getent hosts BUCKET.ENDPOINT")],
        },
        new()
        {
            Id = "DIAG-CEPH-01",
            Component = "Ceph",
            Severity = SignatureSeverity.Failure,
            Title = "Ceph is full: writes and deletes hang without an error",
            Lines = [new(["OSD_FULL", "full osd(s)", "POOL_FULL"])],
            Cause = "An OSD passed its full ratio (95 %). The gateway takes requests and never answers them.",
            Fix = "Add OSDs, or delete through an administrator (`ceph osd set-full-ratio 0.97` for as long as it takes); give the cache's bucket a quota below the full ratio.",
            Sources = ["ceph/ceph#53986", "ceph/ceph#50825"],
            Needs = [new("what is full", "ceph health detail; ceph df; ceph osd df", "Ceph")],
        },
        new()
        {
            Id = "DIAG-CEPH-02",
            Component = "Ceph",
            Severity = SignatureSeverity.Degraded,
            Title = "Ceph answers slowly",
            Lines = [new("slow ops, oldest one blocked for")],
            Cause = "Requests wait in an OSD: a failing or overloaded disk, recovery, the network. Loading KV from there takes longer than computing it.",
            Fix = "`ceph osd perf` names the slow one; until then let the cache load only what beats recomputing (Ferry's default).",
            Sources = ["canonical/hotsos#302", "rook/rook#12275"],
            Needs = [new("which OSD", "ceph health detail; ceph osd perf")],
            CausedBy = ["DIAG-CEPH-01"],
        },
        new()
        {
            Id = "DIAG-REDIS-01",
            Component = "Redis",
            Severity = SignatureSeverity.Degraded,
            Title = "Redis is full and may not evict",
            Lines = [new("OOM command not allowed when used memory")],
            Cause = "maxmemory is reached and maxmemory-policy is noeviction (the default): every write is refused.",
            Fix = "redis-cli CONFIG SET maxmemory-policy allkeys-lru, and a maxmemory that fits the host.",
            Sources = ["StackExchange/StackExchange.Redis#828"],
            Needs = [new("its memory", "redis-cli INFO memory | grep -E 'used_memory_human|maxmemory'")],
        },
        new()
        {
            Id = "DIAG-REDIS-02",
            Component = "Redis",
            Severity = SignatureSeverity.Failure,
            Title = "Redis wants a password",
            Lines = [new(["NOAUTH Authentication required", "WRONGPASS invalid username-password", "invalid username-password pair"])],
            Cause = "The client sends no password, or a wrong one.",
            Fix = "Give it by reference: redis://:${REDIS_PASSWORD}@HOST:6379 from a secret.",
            LintRules = ["FERRY-SEC009"],
            Sources = ["redis/redis src/server.c"],
        },
        new()
        {
            Id = "DIAG-REDIS-03",
            Component = "Redis",
            Severity = SignatureSeverity.Failure,
            Title = "Redis does not answer at its address",
            Lines = [new(["Error 111 connecting to", "Error 113 connecting to", "Could not connect to Redis at"])],
            Cause = "Nothing listens there: the server is down, or the address is right only outside the container (localhost).",
            Fix = "Use the host's or the service's own address; check that the server binds it.",
            LintRules = ["FERRY-LMC040"],
            Sources = ["redis/redis-py"],
            Needs = [new("whether it runs", "redis-cli -h HOST -p PORT PING")],
        },
        new()
        {
            Id = "DIAG-REDIS-04",
            Component = "Redis",
            Severity = SignatureSeverity.Failure,
            Title = "Redis takes no writes since it cannot save",
            Lines = [new("MISCONF Redis is configured to save RDB snapshots")],
            Cause = "A cache needs no snapshots, but this server makes them and its disk is full or not writable.",
            Fix = "redis-server --save '' --appendonly no, or mend the disk.",
            Sources = ["redis/redis src/server.c"],
            CausedBy = ["DIAG-DISK-01"],
        },
        new()
        {
            Id = "DIAG-DISK-01",
            Component = "disk",
            Severity = SignatureSeverity.Failure,
            Title = "A disk is full",
            Lines = [new(["No space left on device", "OSError: [Errno 28]", "ENOSPC"])],
            Cause = "The file system of the cache, of the model or of the container is full. LMCache's disk tier does not count what earlier runs left behind, and keeps its size a rank.",
            Fix = "Delete what old runs left in the cache's directory, give it a volume of its own, and lower max_local_disk_size (GiB a rank).",
            Sources = ["LMCache/LMCache#1454", "LMCache/LMCache#1788"],
            Needs = [new("what is full", "docker exec NODE df -h; du -xsh DIRECTORY")],
        },
    ];
}
