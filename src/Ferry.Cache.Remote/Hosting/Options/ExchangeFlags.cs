using Ferry.Cache.Eviction;
using Ferry.Cache.Remote.Clients;
using Ferry.Cache.Remote.Models;
using Ferry.Cache.Tiers.Disk;
using Ferry.Kv.Settings;

namespace Ferry.Cache.Remote.Hosting.Options;

/// <summary>The flags of <c>ferry cache</c>, and the keys of its configuration file that mean the same.</summary>
public static class ExchangeFlags
{
    private const long LeastMemoryBytes = 16 << 20;
    private const long MaxBytes = 1L << 50;
    private const int MaxSecretFileBytes = 4096;

    public static IReadOnlyList<Setting<ExchangeDraft>> All { get; } =
    [
        Flag("--resp", "resp.listen", "HOST:PORT|off", "127.0.0.1:6390", "Serves LMCache's redis:// and RESP clients, and any Redis client.", (d, v) => d.Resp = ListenAddress.Read(v, d.Resp)),
        Flag("--resp-password-file", "resp.password_file", "FILE", "none", "File with the password that RESP clients must give. Also FERRY_RESP_PASSWORD.", (d, v) => d.RespPassword = Secret(v) ?? d.RespPassword),
        Flag("--resp-user", "resp.user", "NAME", "default", "User name that goes with the password.", (d, v) => d.RespUser = v.Text),
        Flag("--tls-certificate", "resp.tls_certificate", "FILE", "none", "PEM certificate (with its chain): RESP is served over TLS. LMCache's native RESP client has no TLS.", (d, v) => d.TlsCertificatePath = v.Text),
        Flag("--tls-key", "resp.tls_key", "FILE", "none", "PEM private key of the certificate.", (d, v) => d.TlsKeyPath = v.Text),
        Switch("--allow-flush", "resp.allow_flush", "off", "RESP clients may drop everything (FLUSHDB, FLUSHALL).", (d, v) => d.AllowFlush = v.Bool()),
        Flag("--lm", "lm.listen", "HOST:PORT|off", "off", "Serves LMCache's lm:// clients.", (d, v) => d.Lm = ListenAddress.Read(v, d.Lm)),
        Flag("--connections", "connections", "N", "1024", "Connections of each front at one time; one more is refused.", (d, v) => d.ConnectionsMax = v.Int(1, 65_536, 1024)),
        Flag("--admin", "admin.listen", "HOST:PORT|off", "127.0.0.1:6391", "Serves /metrics, /health, /state and the commands below. Beyond loopback it needs a token.", (d, v) => d.Admin = ListenAddress.Read(v, d.Admin)),
        Flag("--admin-token-file", "admin.token_file", "FILE", "none", "File with the token that the admin port asks for (Authorization: Bearer). Also FERRY_ADMIN_TOKEN.", (d, v) => d.AdminToken = Secret(v) ?? d.AdminToken),
        Flag("--memory", "memory.size", "SIZE", "a quarter of this machine's memory, 4 GiB at most", "Exact cap of the memory tier.", (d, v) => d.Cache.MemoryBytes = v.Size(1, LeastMemoryBytes, MaxBytes, LeastMemoryBytes)),
        Switch("--huge-pages", "memory.huge_pages", "on", "Huge pages are tried; the start says whether the system gave them.", (d, v) => d.Cache.TryHugePages = v.Bool(true)),
        Flag("--policy", "memory.policy", "NAME", "LRU", $"What goes first when memory is full: {string.Join(", ", EvictionPolicies.Names)}.", (d, v) => d.Cache.Policy = v.OneOf([.. EvictionPolicies.Names])),
        Flag("--disk", "disk.path", "DIR", "none", "Directory of the disk tier; one exchange at a time uses it. Its content survives restarts.", ApplyDisk),
        Flag("--disk-size", "disk.size", "SIZE", "required with --disk", "Exact cap of everything in the directory.", (d, v) => d.Cache.DiskBytes = v.Size(1, LeastMemoryBytes, MaxBytes, LeastMemoryBytes)),
        Flag("--disk-sync", "disk.sync", "none|interval|every", "interval", "When records are forced onto the medium: never by Ferry, every second, or before they count as stored. Only a power cut tells them apart; a killed process loses nothing that was stored.",
            (d, v) => d.Cache.DiskSync = Enum.Parse<DiskSyncPolicy>(v.OneOf("none", "interval", "every"), ignoreCase: true)),
        Many("--peer", "peers", "HOST:PORT…", "none", "Another exchange, by its RESP address: it is asked, with this one's user and password, for what memory and disk lack, before the shared tier. In the file: a list. May name this one too.", ApplyPeer),
        Flag("--peer-authority", "peer_authority", "FILE", "none", "PEM certificate of the authority that signed the peers' own: they are asked over TLS.", (d, v) => d.PeerAuthorityFile = v.Text),
        Flag("--remote", "remote.url", "URL", "none", "Shared tier: s3://BUCKET?endpoint=http://HOST:PORT (Ceph, any S3), redis://HOST:PORT, or file:///DIR.", (d, v) => d.Cache.RemoteUrl = v) with { IsUrl = true },
        Flag("--remote-size", "remote.size", "SIZE", "no limit", "Cap of the shared tier, whoever wrote to it.", (d, v) => d.RemoteBytes = v.Size(1, LeastMemoryBytes, MaxBytes, LeastMemoryBytes)),
        Flag("--remote-expire", "remote.expire_after", "TIME", "never", "Records of the shared tier older than this are misses.", (d, v) => d.RemoteExpireAfter = v.Duration(TimeSpan.FromMinutes(1), TimeSpan.FromDays(3650), TimeSpan.FromDays(1))),
        Flag("--credentials-file", "remote.credentials_file", "FILE", "the standard chain", "AWS credentials file for an S3 tier. Without it: environment, shared file, container, instance.", (d, v) => d.CredentialsFile = v.Text),
        Flag("--models", "models_file", "FILE", "none", "YAML file of model cards (in --config also a key models with the cards themselves): without the shape of its model a record is served as it was stored, and never converted.", ApplyModels),
        Flag("--convert", "convert", "on|off|log", "on", "Shards of another tensor-parallel size, dtype or layout are converted on reading; log: only said, and a miss.", ApplyConvert),
        Flag("--kept-conversions", "clients.kept_conversions", "SIZE", "0: none", "Converted shards that are kept as records, so that a rank which asks again is not converted for again.",
            (d, v) => d.Clients = d.Clients with { KeptConvertedBytesMax = v.Size(1, 0, MaxBytes) }),
        Flag("--pending", "clients.pending", "SIZE", "256MiB, at most a quarter of the memory", "Values whose metadata record has not come yet; beyond it the oldest is given up and counted.",
            (d, v) => d.Clients = d.Clients with { PendingBytesMax = v.Size(1, 1 << 20, MaxBytes, 256 << 20) }),
        Flag("--pending-halves", "clients.pending_halves", "N", "4096", "Values and metadata records that wait for each other, in number.",
            (d, v) => d.Clients = d.Clients with { PendingMax = v.Int(1, 1 << 20, 4096) }),
        Flag("--pending-timeout", "clients.pending_timeout", "TIME", "30s", "How long one waits: LMCache sends the other half at once.",
            (d, v) => d.Clients = d.Clients with { PendingTimeout = v.Duration(TimeSpan.FromMilliseconds(100), TimeSpan.FromHours(1), TimeSpan.FromSeconds(30)) }),
        Flag("--chunk-size", "chunk_size", "TOKENS", "256", "Tokens of a chunk of the clients: what a key without a metadata record stands for.", (d, v) => d.Cache.ChunkTokens = v.Int(1, 65_536, 256)),
        Many("--quota", "quotas", "SALT=SIZE…", "none", "Memory that the records of a cache salt may take. In the file: a mapping of salts to sizes.", ApplyQuota),
        Flag("--tier-deadline", "flow.tier_deadline", "TIME", "10s", "Longest time for one operation of a tier; after it the answer is a miss.", (d, v) => d.Cache.LoadTimeout = v.Duration(TimeSpan.FromMilliseconds(100), TimeSpan.FromHours(1), TimeSpan.FromSeconds(10))),
        Flag("--write-queue", "flow.write_queue", "SIZE", "1GiB, at most a quarter of the memory", "Records that may wait for each tier; what finds it full stays in memory only and is counted.", (d, v) => d.WriteQueueBytes = v.Size(1, 1 << 20, MaxBytes, 1 << 30)),
        Flag("--prefetch", "flow.prefetch", "SIZE", "256MiB, at most a quarter of the memory", "What EXISTS finds on disk or in the shared tier is brought into memory before it is asked for, so much ahead of the client; 0: only when it is asked for.", (d, v) => d.PrefetchBytes = v.Size(1, 0, MaxBytes)),
        Flag("--drain", "drain", "TIME", "20s", "How long a stop waits for clients and for what is queued for disk and remote tier.", (d, v) => d.Drain = v.Duration(TimeSpan.Zero, TimeSpan.FromHours(1), TimeSpan.FromSeconds(20))),
    ];

    /// <summary>The setting of a key of the configuration file, or null.</summary>
    public static Setting<ExchangeDraft>? TryFindKey(string key) => All.FirstOrDefault(setting => setting.Key == key);

    internal static void ApplyQuota(ExchangeDraft draft, SettingValue value)
    {
        var equals = value.Text.LastIndexOf('=');
        var size = equals < 0 ? null : value.Text[(equals + 1)..];
        if (size is null || !Kv.Text.ByteSize.TryParse(size, 1, out var bytes))
        {
            value.Error($"{value.Name} is '{value.Text}'; write SALT=SIZE, for example tenant-a=2GiB.");
            return;
        }
        draft.Quotas[value.Text[..equals]] = bytes;
    }

    internal static void ApplyPeer(ExchangeDraft draft, SettingValue value)
    {
        if (value.Text is "off" or "none" || ListenAddress.Read(value, null) is not { } peer)
        {
            return;
        }
        if (peer.Port == 0 || peer.Host is "0.0.0.0" or "::")
        {
            value.Error($"{value.Name} is '{value.Text}'; write the address and the port at which the other exchange is reached, for example 10.0.0.2:6390.");
        }
        else if (!draft.Peers.Contains(peer))
        {
            draft.Peers.Add(peer);
        }
    }

    private static void ApplyDisk(ExchangeDraft draft, SettingValue value)
    {
        if (value.Text.Length == 0 || value.Text.Contains("://", StringComparison.Ordinal) || value.Text.StartsWith("file:", StringComparison.Ordinal))
        {
            value.Error($"{value.Name} is '{value.Text}'; write the path of a directory, for example /var/lib/ferry. URLs belong to --remote.");
            return;
        }
        draft.Cache.DiskPath = Path.GetFullPath(value.Text);
    }

    private static void ApplyModels(ExchangeDraft draft, SettingValue value)
    {
        try
        {
            draft.Models = ModelCards.Load(value.Text);
        }
        catch (ModelCardException exception)
        {
            foreach (var error in exception.Errors)
            {
                value.Error(error);
            }
        }
    }

    private static void ApplyConvert(ExchangeDraft draft, SettingValue value) => draft.Clients = draft.Clients with
    {
        Convert = value.OneOf("on", "off", "log") switch
        {
            "off" => ConvertMode.Off,
            "log" => ConvertMode.Log,
            _ => ConvertMode.On,
        },
    };

    private static string? Secret(SettingValue value)
    {
        try
        {
            using var file = File.OpenRead(value.Text);
            if (file.Length <= MaxSecretFileBytes)
            {
                using var reader = new StreamReader(file);
                var text = reader.ReadToEnd().TrimEnd('\r', '\n');
                if (text.Length > 0 && !text.Any(char.IsControl))
                {
                    return text;
                }
            }
            value.Error($"{value.Name}: {value.Text} must hold one line of 1 to {MaxSecretFileBytes} characters.");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException)
        {
            value.Error($"{value.Name}: {value.Text} cannot be read: {exception.Message}");
        }
        return null;
    }

    private static Setting<ExchangeDraft> Flag(string name, string key, string value, string @default, string text, Action<ExchangeDraft, SettingValue> take) =>
        new(name, value, @default, text, take) { Key = key };

    private static Setting<ExchangeDraft> Many(string name, string key, string value, string @default, string text, Action<ExchangeDraft, SettingValue> take) =>
        new(name, value, @default, text, take) { Key = key, TakesMany = true };

    private static Setting<ExchangeDraft> Switch(string name, string key, string @default, string text, Action<ExchangeDraft, SettingValue> take) =>
        new(name, "", @default, text, take) { Key = key };
}
