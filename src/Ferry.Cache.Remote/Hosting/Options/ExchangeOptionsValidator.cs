using Ferry.Cache.Remote.Peers;
using Ferry.Cache.Remote.Settings;
using Ferry.Kv.Text;

namespace Ferry.Cache.Remote.Hosting.Options;

/// <summary>Checks settings against each other and against the machine, and makes the immutable options.</summary>
internal static class ExchangeOptionsValidator
{
    private const long DefaultMemoryBytes = 4L << 30;
    private const long LeastMemoryBytes = 16 << 20;

    /// <summary>The process needs something beside the arena: its own heap, connections' buffers, a disk tier's index.</summary>
    private const double MemoryShareMax = 0.9;

    private const int LeastSecretCharacters = 8;

    /// <summary>They are asked one after the other: at a tenth of a millisecond each, a look-up that nobody can answer takes 6 ms more.</summary>
    private const int PeersMax = 64;

    public static ExchangeOptions Build(ExchangeDraft draft, IReadOnlyDictionary<string, string> environment, IMachine machine)
    {
        CheckFronts(draft, machine);
        CheckAdmin(draft);
        CheckFiles(draft, machine);
        var memory = MemoryBytes(draft, machine);
        var tierDeadline = draft.Cache.LoadTimeout ?? TimeSpan.FromSeconds(10);
        var remote = BuildRemote(draft, environment);
        return new ExchangeOptions
        {
            Resp = draft.Resp,
            Lm = draft.Lm,
            Security = new FrontSecurity { Password = draft.RespPassword, User = draft.RespUser, TlsCertificatePath = draft.TlsCertificatePath, TlsKeyPath = draft.TlsKeyPath },
            AllowFlush = draft.AllowFlush,
            ConnectionsMax = draft.ConnectionsMax,
            Admin = draft.Admin,
            AdminToken = draft.AdminToken,
            MemoryBytes = memory,
            TryHugePages = draft.Cache.TryHugePages,
            Policy = draft.Cache.Policy,
            Disk = DiskPlace.Resolve(draft.Cache, "--disk-size", 1, machine, draft.Findings),
            Peers = BuildPeers(draft, tierDeadline),
            Remote = remote,
            ChunkTokens = draft.Cache.ChunkTokens,
            Models = draft.Models,
            Clients = draft.Clients,
            Quotas = draft.Quotas,
            TierDeadline = tierDeadline,
            WriteQueueBytes = draft.WriteQueueBytes,
            PrefetchBytes = draft.PrefetchBytes,
            Drain = draft.Drain,
        };
    }

    private static void CheckFronts(ExchangeDraft draft, IMachine machine)
    {
        var findings = draft.Findings;
        if (draft.Resp is null && draft.Lm is null)
        {
            findings.Error("--resp", "off", "no client could reach this exchange: --resp is off and --lm is not given. Give one of them.");
        }
        var listeners = ((ListenAddress? At, string Name)[])[(draft.Resp, "--resp"), (draft.Lm, "--lm"), (draft.Admin, "--admin")];
        foreach (var (at, name) in listeners)
        {
            if (at is not null && machine.WhyNotLocal(at.Host) is { } reason)
            {
                findings.Error(name, at.ToString(), $"cannot listen there: {reason}.");
            }
        }
        foreach (var group in listeners.Where(listener => listener.At is { Port: > 0 }).GroupBy(listener => listener.At!.Port).Where(group => group.Count() > 1))
        {
            var names = string.Join(" and ", group.Select(listener => listener.Name));
            findings.Error(group.Last().Name, group.Last().At!.ToString(), $"{names} both take port {group.Key}. Give each a port of its own.");
        }
        if (draft.Resp is { IsLoopback: false } open && draft.RespPassword is null)
        {
            findings.Warn("--resp", open.ToString(), "other machines reach it and no password is asked: whoever does reads and writes KV. Set FERRY_RESP_PASSWORD, or keep the network to itself.");
        }
        if (draft.Lm is { IsLoopback: false } lm)
        {
            findings.Warn("--lm", lm.ToString(), "other machines reach it, and lm:// has no password: keep the network to itself.");
        }
        if (draft.RespPassword is { Length: < LeastSecretCharacters })
        {
            findings.Error("FERRY_RESP_PASSWORD", "***", $"the RESP password has {draft.RespPassword.Length} characters; it must have at least {LeastSecretCharacters} (openssl rand -hex 32).");
        }
        if (draft.TlsCertificatePath is null != draft.TlsKeyPath is null)
        {
            findings.Error("--tls-key", draft.TlsKeyPath ?? "", "--tls-certificate and --tls-key go together. Give both, or neither.");
        }
    }

    private static PeerTierOptions[] BuildPeers(ExchangeDraft draft, TimeSpan tierDeadline)
    {
        if (draft.Peers.Count > PeersMax)
        {
            draft.Findings.Error("--peer", $"{draft.Peers.Count}", $"{draft.Peers.Count} peers are given; at most {PeersMax} are asked. Name those from which KV is handed over, and let a shared tier (--remote) serve the others.");
        }
        if (draft.RespPassword is null && draft.Peers.Find(peer => !peer.IsLoopback) is { } open)
        {
            draft.Findings.Warn("--peer", open.ToString(), "it lies beyond this machine and is asked without a password: who takes its place can give KV that was never computed. Set FERRY_RESP_PASSWORD on all exchanges, or keep the network to itself.");
        }
        if (draft.PeerAuthorityFile is { } authority && draft.Peers.Count == 0)
        {
            draft.Findings.Warn("--peer-authority", authority, "no effect without --peer.");
        }
        var options = draft.Peers.ConvertAll(peer => new PeerTierOptions
        {
            Host = peer.Host,
            Port = peer.Port,
            User = draft.RespUser,
            Password = draft.RespPassword,
            AuthorityFile = draft.PeerAuthorityFile,
            AnswerTimeout = tierDeadline / 5, // Memory and an index answer in microseconds: who is silent for 2 s is not there.
            StallTimeout = tierDeadline / 2, // A disk that is busy may take seconds to begin.
        });
        foreach (var (peer, error) in options.SelectMany(peer => peer.Validate(), (peer, error) => (peer, error)))
        {
            draft.Findings.Error("--peer", peer.ToString(), error);
        }
        return [.. options];
    }

    private static void CheckAdmin(ExchangeDraft draft)
    {
        if (draft.Admin is { IsLoopback: false } admin && draft.AdminToken is null)
        {
            draft.Findings.Error("--admin", admin.ToString(), "beyond loopback the admin port needs a token: whoever reaches it could read, move and clear KV. Set FERRY_ADMIN_TOKEN or --admin-token-file, or listen on 127.0.0.1.");
        }
        if (draft.AdminToken is { Length: < LeastSecretCharacters })
        {
            draft.Findings.Error("FERRY_ADMIN_TOKEN", "***", $"the admin token has {draft.AdminToken.Length} characters; it must have at least {LeastSecretCharacters} (openssl rand -hex 32).");
        }
    }

    private static void CheckFiles(ExchangeDraft draft, IMachine machine)
    {
        foreach (var (path, name) in ((string?, string)[])[(draft.CredentialsFile, "--credentials-file"),
            (draft.TlsCertificatePath, "--tls-certificate"), (draft.TlsKeyPath, "--tls-key"), (draft.PeerAuthorityFile, "--peer-authority")])
        {
            if (path is not null && !machine.FileExists(path))
            {
                draft.Findings.Error(name, path, $"there is no file '{path}'.");
            }
        }
    }

    private static long MemoryBytes(ExchangeDraft draft, IMachine machine)
    {
        var limit = (long)(machine.MemoryBytes * MemoryShareMax);
        if (draft.Cache.MemoryBytes is not { } wanted)
        {
            return Math.Min(DefaultMemoryBytes, machine.MemoryBytes / 4);
        }
        const string name = "--memory";
        if (wanted < LeastMemoryBytes)
        {
            draft.Findings.Error(name, ByteSize.Format(wanted), $"the memory tier has {ByteSize.Format(wanted)}; it must have at least {ByteSize.Format(LeastMemoryBytes)}, and for chunks of a large model some GiB. It is set by --memory, memory.size or LMCACHE_MAX_LOCAL_CPU_SIZE.");
        }
        else if (wanted > limit)
        {
            draft.Findings.Error(name, ByteSize.Format(wanted), $"the memory tier has {ByteSize.Format(wanted)}, more than nine tenths of this machine's {ByteSize.Format(machine.MemoryBytes)}. Lower it to {ByteSize.Format(limit)} or less (--memory, memory.size or LMCACHE_MAX_LOCAL_CPU_SIZE).");
        }
        return wanted;
    }

    private static RemoteTierSettings? BuildRemote(ExchangeDraft draft, IReadOnlyDictionary<string, string> environment)
    {
        if (draft.Cache.S3AccessKey is null != draft.Cache.S3SecretKey is null)
        {
            draft.Findings.Error("extra_config", "***", "aws_access_key_id and aws_secret_access_key go together; one of them is not set.");
        }
        var limits = new RemoteTierOptions { CapacityBytes = draft.RemoteBytes, ExpireAfter = draft.RemoteExpireAfter, CredentialsFile = draft.CredentialsFile };
        var remote = RemoteAddress.Resolve(draft.Cache, limits, draft.Findings);
        var isS3 = remote?.Url.StartsWith("s3:", StringComparison.OrdinalIgnoreCase) == true;
        foreach (var name in environment.Keys.Where(name => name.StartsWith("AWS_", StringComparison.Ordinal)).Order(StringComparer.Ordinal))
        {
            if (draft.Cache.RemoteUrl?.Text.StartsWith("s3:", StringComparison.OrdinalIgnoreCase) != true && ExchangeEnvironment.All.FirstOrDefault(known => known.Name == name) is { } setting)
            {
                draft.Findings.Warn(name, setting.IsSecret ? "***" : environment[name], "no effect without an S3 tier.");
            }
        }
        if (isS3 && environment.ContainsKey("AWS_ACCESS_KEY_ID") != environment.ContainsKey("AWS_SECRET_ACCESS_KEY"))
        {
            draft.Findings.Error("AWS_SECRET_ACCESS_KEY", "***", "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY go together; one of them is not set.");
        }
        if (isS3 && environment.ContainsKey("AWS_WEB_IDENTITY_TOKEN_FILE") && !environment.ContainsKey("AWS_ROLE_ARN"))
        {
            draft.Findings.Error("AWS_ROLE_ARN", "", "AWS_WEB_IDENTITY_TOKEN_FILE is set and AWS_ROLE_ARN is not; they go together.");
        }
        if (draft.Cache.RemoteUrl is null)
        {
            foreach (var (given, name) in ((bool, string)[])[(draft.RemoteBytes is not null, "--remote-size"), (draft.RemoteExpireAfter is not null, "--remote-expire"), (draft.CredentialsFile is not null, "--credentials-file")])
            {
                if (given)
                {
                    draft.Findings.Warn(name, "", "no effect without a shared tier: --remote URL or LMCACHE_REMOTE_URL.");
                }
            }
        }
        return remote;
    }
}
