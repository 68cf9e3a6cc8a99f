using Ferry.Cache.Eviction;
using Ferry.Kv.Settings;

namespace Ferry.Cache.Remote.Settings;

/// <summary>
/// LMCache's settings, by their environment names (LMCACHE_ + key in capitals). The list is LMCache's definition table (config.py of
/// 2026-04, and its older aliases); what is not in it, LMCache never reads, and Ferry refuses.
/// </summary>
public sealed class LmCacheSettings
{
    /// <summary>Prefix of the environment names.</summary>
    public const string Prefix = "LMCACHE_";

    /// <summary>The variable that names LMCache's YAML file.</summary>
    public const string ConfigFileName = Prefix + "CONFIG_FILE";

    private const long MaxTierBytes = 1L << 50;

    private readonly CacheHost _host;

    private LmCacheSettings(CacheHost host)
    {
        _host = host;
        Honoured = [.. Build()];
        Explained = [.. LmCacheIdleSettings.Explained(host)];
        Refused = [.. LmCacheIdleSettings.Refused(host)];
        All = [.. Honoured, .. Explained, .. Refused];
    }

    public static LmCacheSettings Engine { get; } = new(CacheHost.Engine);

    public static LmCacheSettings Exchange { get; } = new(CacheHost.Exchange);

    public IReadOnlyList<Setting<CacheDraft>> Honoured { get; }

    /// <summary>Known to LMCache, without effect here: the key, and what to know.</summary>
    public IReadOnlyList<Setting<CacheDraft>> Explained { get; }

    /// <summary>Known, dead or of no use here, and misleading if nothing were said.</summary>
    public IReadOnlyList<Setting<CacheDraft>> Refused { get; }

    public IReadOnlyList<Setting<CacheDraft>> All { get; }

    /// <summary>The setting of an LMCache key as YAML and <c>lmcache.KEY</c> spell it ("chunk_size"), or null.</summary>
    public Setting<CacheDraft>? TryFindKey(string key) => TryFindName(Prefix + key.ToUpperInvariant());

    /// <summary>The setting of an environment name, or null.</summary>
    public Setting<CacheDraft>? TryFindName(string name) => All.FirstOrDefault(setting => setting.Names.Contains(name));

    /// <summary>Applies one variable; an unknown name is refused with the nearest known one.</summary>
    public void ApplyVariable(CacheDraft draft, FindingLog findings, string name, string text)
    {
        if (TryFindName(name) is not { } setting)
        {
            findings.Refuse(name, text, $"{name} is no LMCache setting: LMCache would never read it.{NameHint.Of(name, All.Select(known => known.Name))}");
            return;
        }
        RefuseOldName(findings, setting, name, text, "");
        setting.Apply(draft, findings, Unquote(text));
    }

    /// <summary>Applies one key of LMCache's YAML.</summary>
    public void ApplyKey(CacheDraft draft, FindingLog findings, string key, string text, string place)
    {
        if (TryFindKey(key) is not { } setting || setting.Name == ConfigFileName)
        {
            var known = All.Where(one => one.Name != ConfigFileName).Select(one => one.Name[Prefix.Length..].ToLowerInvariant());
            findings.Refuse(key, text, $"'{key}' is no key of LMCache's configuration file.{NameHint.Of(key, known)}", place);
            return;
        }
        RefuseOldName(findings, setting, Prefix + key.ToUpperInvariant(), text, place);
        setting.Apply(draft, findings, text, place);
    }

    /// <summary>LMCache strips one pair of quotes around a value; compose files often leave them.</summary>
    private static string Unquote(string text) =>
        text.Length >= 2 && text[0] is '"' or '\'' && text[0] == text[^1] ? text[1..^1] : text;

    private void RefuseOldName(FindingLog findings, Setting setting, string written, string text, string place)
    {
        if (_host == CacheHost.Exchange && written != setting.Name)
        {
            findings.Refuse(written, setting.IsSecret ? "***" : text, $"{written} is an old name of {setting.Name}. Write that.", place);
        }
    }

    private IEnumerable<Setting<CacheDraft>> Build() =>
    [
        Key("CHUNK_SIZE", "TOKENS", "256", Say("Tokens of one chunk; a multiple of every node's block.",
            "Tokens of one chunk, as the clients have it: what a key without a metadata record stands for, in conversion and in the token counts."),
            (d, v) => d.ChunkTokens = v.Int(1, 65_536, 256)),
        Key("LOCAL_CPU", "BOOL", "True", Say("False: memory only stages what is on its way.", "True. False is refused: memory is where the clients meet."), ApplyLocalCpu),
        Key("MAX_LOCAL_CPU_SIZE", "GIB", Say("1 for the node", "see --memory"), Say("Memory tier, GiB per rank as in LMCache: the node's cap is this times --tensor-parallel-size. Units are taken, too.",
            "Memory tier of the node, GiB unless a unit stands behind it. (LMCache counts it per rank; one exchange serves all ranks.)"),
            (d, v) => d.MemoryBytes = v.Size(1L << 30, 0, MaxTierBytes)),
        Key("LOCAL_CPU_USE_HUGEPAGES", "BOOL", "True", "Huge pages are tried unless this is False; the start says whether the system gave them.", (d, v) => d.TryHugePages = v.Bool(true)),
        Key("LOCAL_DISK", "DIR", "none", "Directory of the disk tier: a path, or file:///path. It needs a size. Unlike LMCache's its content survives a restart.", ApplyLocalDisk),
        Key("MAX_LOCAL_DISK_SIZE", "GIB", "none", Say("Disk tier, GiB per rank as in LMCache: the node's cap is this times --tensor-parallel-size.", "Disk tier of the node, GiB unless a unit stands behind it."),
            (d, v) => d.DiskBytes = v.Size(1L << 30, 0, MaxTierBytes)),
        Key("REMOTE_URL", "URL", "none", "Shared tier: file:///DIR, redis://HOST:PORT, or S3 as s3://HOST/BUCKET/, s3://BUCKET.HOST (LMCache's form) or s3://BUCKET?endpoint=URL.", (d, v) => d.RemoteUrl = v) with { IsUrl = true },
        Key("S3_ENDPOINT_URL", "URL", "none", "Endpoint of the S3 tier, http or https. (LMCache itself never reads it: there the endpoint stands in LMCACHE_REMOTE_URL.)", (d, v) => d.S3Endpoint = v) with { IsUrl = true },
        Key("CACHE_POLICY", "NAME", "LRU", $"Which chunk goes first when a tier is full: {string.Join(", ", EvictionPolicies.Names)}.", ApplyPolicy),
        Key("PRE_CACHING_HASH_ALGORITHM", "NAME", Say("sha256_cbor", "the clients'"), Say("Chunk hash; LMCache's own default is builtin. Equal on all nodes that share KV.",
            "The clients hash; the exchange takes every form of key. builtin and Python pickles need an equal PYTHONHASHSEED on all clients."), ApplyHash),
        Key("SAVE_DECODE_CACHE", "BOOL", "False", Say("Keep KV of generated tokens too, in full chunks, for later turns of a conversation.", "The clients decide it by the same name; the exchange keeps what it is sent."), (d, v) => d.SaveDecodeCache = v.Bool()),
        Key("SAVE_UNFULL_CHUNK", "BOOL", "False", Say("Put the unfull last chunk of a prompt into the shared tier too; the hand-over always carries it.",
            "The clients decide it by the same name; the exchange keeps what it is sent."), (d, v) => d.SaveUnfullChunk = v.Bool()),
        Key("ENABLE_PD", "BOOL", "False", Say("Prefill/decode hand-over. --kv-transfer-config decides here; a contradiction warns.", "Prefill/decode hand-over: what one side puts the other side gets. It is always on."), ApplyEnablePd) with { Aliases = ["LMCACHE_ENABLE_XPYD"] },
        Key("PD_ROLE", "sender|receiver", "none", Say("Must agree with kv_role: sender is kv_producer, receiver is kv_consumer.", "Role of the engine beside this exchange; an exchange serves both."),
            (d, v) => d.PdRole = v.OneOf("sender", "receiver")) with { Aliases = ["LMCACHE_NIXL_ROLE"] },
        Key("TRANSFER_CHANNEL", "NAME", "none", Say("nixl: the hand-over reads from the peer's memory, as Ferry's does.", "nixl: the way between two nodes' memory. Clients of an exchange reach it over RESP or lm://."), ApplyChannel),
        Key("BLOCKING_TIMEOUT_SECS", "SECONDS", "10", Say("Longest wait for a peer or a shared tier; then the engine computes.", "Longest wait for a tier; then the answer is a miss."),
            (d, v) => d.LoadTimeout = TimeSpan.FromSeconds(v.Real(0.1, 3600, 10))),
        Key("EXTRA_CONFIG", "JSON", "{}", "See the table of its keys. Its value is shown nowhere, since it may hold credentials.", ApplyExtra) with { IsSecret = true },
        Key("CONFIG_FILE", "FILE", "none", "LMCache's YAML file; variables stand above it.", (d, v) => d.ConfigFile = v.Text),
    ];

    private string Say(string engine, string exchange) => _host == CacheHost.Engine ? engine : exchange;

    private static Setting<CacheDraft> Key(string key, string value, string @default, string text, Action<CacheDraft, SettingValue> take) =>
        new(Prefix + key, value, @default, text, take);

    private void ApplyLocalCpu(CacheDraft draft, SettingValue value)
    {
        draft.KeepInMemory = value.Bool(true);
        if (_host == CacheHost.Exchange && !draft.KeepInMemory)
        {
            value.Error($"{value.Name}=False leaves the exchange no memory in which one client could put what another gets. Remove it, and give memory a small size instead: --memory 512MiB.");
        }
    }

    /// <summary>LMCache makes "file:/x" and "file://x" a relative directory named "file:" without a word (parse_local_disk); here only what cannot be misread passes.</summary>
    private static void ApplyLocalDisk(CacheDraft draft, SettingValue value)
    {
        var path = value.Text;
        if (path.StartsWith("file:", StringComparison.Ordinal))
        {
            if (!path.StartsWith("file:///", StringComparison.Ordinal))
            {
                value.Error($"{value.Name} is '{path}', which LMCache reads as a directory named 'file:'. Write file:///{path["file:".Length..].TrimStart('/')}, or the bare path.");
                return;
            }
            path = path["file://".Length..];
        }
        if (!path.StartsWith('/') || path.Trim('/').Length == 0)
        {
            value.Error($"{value.Name} is '{path}'; it must be the absolute path of a directory of its own, for example /var/lib/ferry. Leave it out for no disk tier.");
            return;
        }
        draft.DiskPath = path.TrimEnd('/');
    }

    private void ApplyHash(CacheDraft draft, SettingValue value)
    {
        var name = value.OneOf("sha256_cbor", "builtin", "blake3", "sha256", "xxhash", "xxhash_cbor");
        if (_host == CacheHost.Engine && name is "sha256" or "xxhash" or "xxhash_cbor")
        {
            value.Error($"LMCACHE_PRE_CACHING_HASH_ALGORITHM={value.Text} hashes Python pickles or vLLM blocks, which only Python defines for chunks. Use sha256_cbor on every node.");
            return;
        }
        draft.HashAlgorithm = name;
    }

    private static void ApplyPolicy(CacheDraft draft, SettingValue value) => draft.Policy = value.OneOf([.. EvictionPolicies.Names]);

    private void ApplyEnablePd(CacheDraft draft, SettingValue value)
    {
        draft.EnablePd = value.Bool();
        if (_host == CacheHost.Exchange && draft.EnablePd == false)
        {
            value.Warn("no effect: whoever knows a key gets its value, the other side of a hand-over too.");
        }
    }

    private static void ApplyChannel(CacheDraft draft, SettingValue value)
    {
        if (value.OneOf("nixl", "hccl", "hixl") != "nixl")
        {
            value.Warn("Ferry moves KV by its own one-sided reads, whatever is named here.");
        }
    }

    private void ApplyExtra(CacheDraft draft, SettingValue value) => LmCacheExtraSettings.ApplyJson(draft, value);
}
