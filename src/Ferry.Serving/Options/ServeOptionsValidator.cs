using System.Text;
using Ferry.Cache.Remote;
using Ferry.Cache.Remote.Settings;
using Ferry.Engine.Generation;
using Ferry.Kv.Settings;
using Ferry.Transfer.Tcp;
using Ferry.Transfer.Tls;

namespace Ferry.Serving.Options;

/// <summary>Checks settings against each other and against the machine, and makes the immutable options.</summary>
internal static class ServeOptionsValidator
{
    /// <summary>Memory of the exchange when LMCACHE_MAX_LOCAL_CPU_SIZE is not set: small enough for three nodes on one laptop.</summary>
    private const long DefaultMemoryTierBytes = 1L << 30;

    /// <summary>Shorter secrets can be guessed from one recorded handshake (TcpAgentOptions has the same).</summary>
    private const int LeastSecretBytes = TcpAgentOptions.SharedSecretBytesMin;

    public static ServeOptions Build(ServeDraft draft, IReadOnlyDictionary<string, string> environment, IMachine machine)
    {
        CheckModel(draft, machine);
        CheckServer(draft, machine);
        var engine = BuildEngine(draft, machine);
        var exchange = BuildExchange(draft, environment, machine, engine);
        return new ServeOptions
        {
            Model = draft.Model ?? "",
            ServedModelNames = draft.ServedModelNames.Count > 0 ? [.. draft.ServedModelNames.Distinct()] : [draft.Model ?? ""],
            Host = draft.Host,
            Port = draft.Port,
            Engine = engine,
            ChatTemplatePath = draft.ChatTemplatePath,
            UseGenerationConfig = draft.UseGenerationConfig,
            Api = draft.Api with { ApiKeys = [.. draft.ApiKeys] },
            Exchange = exchange,
        };
    }

    private static void CheckModel(ServeDraft draft, IMachine machine)
    {
        if (draft.Model is null)
        {
            Error(draft, "MODEL", "", "no model given. Name a directory in Hugging Face layout: ferry serve models/ferry-tiny");
        }
        else if (!machine.DirectoryExists(draft.Model))
        {
            Error(draft, "MODEL", draft.Model, $"there is no directory '{draft.Model}'. Ferry downloads nothing: give a local directory with config.json, tokenizer.json and *.safetensors.");
        }
        else if (!machine.FileExists(Path.Combine(draft.Model, "config.json")))
        {
            Error(draft, "MODEL", draft.Model, $"'{draft.Model}' has no config.json. Give the directory that holds config.json, tokenizer.json and *.safetensors.");
        }
    }

    private static void CheckServer(ServeDraft draft, IMachine machine)
    {
        if (draft.ChatTemplatePath is { } path && !machine.FileExists(path))
        {
            Error(draft, "--chat-template", path, $"there is no file '{path}'.");
        }
        if (machine.WhyNotLocal(draft.Host) is { } reason)
        {
            Error(draft, "--host", draft.Host, $"cannot listen there: {reason}.");
        }
        if (draft.ApiKeys.Any(string.IsNullOrWhiteSpace))
        {
            Error(draft, "--api-key", "***", "an API key is empty.");
        }
    }

    private static EngineOptions BuildEngine(ServeDraft draft, IMachine machine)
    {
        if (draft.KvMemoryBytes is not null && draft.BlockCount is not null)
        {
            Error(draft, "--num-gpu-blocks-override", $"{draft.BlockCount}", "--kv-cache-memory-bytes and --num-gpu-blocks-override both size the KV pool. Give one.");
        }
        if (!draft.ChunkedPrefill)
        {
            if (draft.MaxNumBatchedTokens is { } given && draft.MaxModelLen is { } length && given < length)
            {
                Error(draft, "--max-num-batched-tokens", $"{given}", $"without chunked prefill a prompt is computed in one step, so --max-num-batched-tokens ({given}) must be at least --max-model-len ({length}). Raise it, or drop --no-enable-chunked-prefill.");
            }
        }
        if (draft.MaxNumBatchedTokens is { } tokens && tokens < draft.MaxNumSeqs)
        {
            Error(draft, "--max-num-batched-tokens", $"{tokens}", $"--max-num-batched-tokens ({tokens}) is less than --max-num-seqs ({draft.MaxNumSeqs}): not every running sequence would get a token a step. Raise it, or lower --max-num-seqs.");
        }
        return new EngineOptions
        {
            ModelName = draft.ServedModelNames.FirstOrDefault(),
            Device = draft.Device,
            TensorParallelSize = draft.TensorParallelSize ?? draft.Device.TensorParallelSize,
            BlockTokens = draft.BlockTokens ?? draft.Device.BlockTokens,
            MaxModelLen = draft.MaxModelLen,
            MaxNumSeqs = draft.MaxNumSeqs,
            MaxNumBatchedTokens = draft.MaxNumBatchedTokens,
            MaxWaiting = draft.MaxWaiting,
            KvMemoryBytes = draft.KvMemoryBytes,
            BlockCount = draft.BlockCount,
            MemoryBudgetBytes = draft.MemoryFraction is { } share ? (long)(share * machine.MemoryBytes) : null,
            KvDType = draft.KvDType,
            EnablePrefixCaching = draft.PrefixCaching,
            EnableChunkedPrefill = draft.ChunkedPrefill,
            Threads = draft.Threads,
            Seed = draft.Seed,
        };
    }

    private static ExchangeSettings? BuildExchange(ServeDraft draft, IReadOnlyDictionary<string, string> environment, IMachine machine, EngineOptions engine)
    {
        if (draft.KvTransferConfig is null)
        {
            WarnOfIdleExchangeSettings(draft, environment);
            if (draft.KvEvents is not null)
            {
                draft.Add(FindingKind.Warning, "--kv-events-config", "", "no effect without --kv-transfer-config: the events are those of the exchange's memory.");
            }
            return null;
        }
        if (draft.ConnectorName is null)
        {
            Error(draft, "kv_connector", "", "--kv-transfer-config has no kv_connector. Add \"kv_connector\":\"NixlConnector\".");
        }
        if (draft.Role is null)
        {
            Error(draft, "kv_role", "", "--kv-transfer-config has no kv_role, which vLLM requires with a connector. Add \"kv_role\":\"kv_producer\", \"kv_consumer\" or \"kv_both\".");
        }
        CheckBufferDevice(draft);
        TransportSettings.CheckDevice(draft);
        CheckPd(draft);
        CheckSideChannel(draft, machine);
        CheckSecret(draft);
        if (draft.Cache.ChunkTokens % engine.BlockTokens!.Value != 0)
        {
            Error(draft, "LMCACHE_CHUNK_SIZE", $"{draft.Cache.ChunkTokens}", $"a chunk of {draft.Cache.ChunkTokens} tokens is not a whole number of blocks of {engine.BlockTokens} tokens. Use a multiple of {engine.BlockTokens}, for example {(draft.Cache.ChunkTokens / engine.BlockTokens.Value + 1) * engine.BlockTokens.Value}.");
        }
        return new ExchangeSettings
        {
            Role = draft.Role ?? KvRole.Both,
            ConnectorName = draft.ConnectorName ?? "",
            EngineId = draft.EngineId,
            ChunkTokens = draft.Cache.ChunkTokens,
            HashAlgorithm = draft.Cache.HashAlgorithm,
            HashSeed = draft.HashSeed ?? "0",
            MemoryTierBytes = MemoryTierBytes(draft, machine, engine.TensorParallelSize!.Value),
            KeepInMemory = draft.Cache.KeepInMemory,
            LoadsAlways = draft.LoadsAlways,
            Policy = draft.Cache.Policy,
            Disk = DiskPlace.Resolve(draft.Cache, $"{LmCacheSettings.Prefix}MAX_LOCAL_DISK_SIZE", engine.TensorParallelSize!.Value, machine, draft.Findings),
            Shared = RemoteAddress.Resolve(draft.Cache, new RemoteTierOptions(), draft.Findings),
            SaveDecodeCache = draft.Cache.SaveDecodeCache,
            SaveUnfullChunk = draft.Cache.SaveUnfullChunk,
            SideChannelHost = draft.SideChannelHost ?? "localhost",
            SideChannelPort = draft.SideChannelPort ?? 5600,
            SharedSecret = draft.SharedSecret,
            Tls = Tls(draft),
            Transports = draft.Transports,
            Events = CheckEvents(draft),
            LeaseDuration = draft.LeaseDuration,
            Handover = draft.Handover,
            LoadTimeout = draft.Cache.LoadTimeout ?? TimeSpan.FromSeconds(10),
        };
    }

    private static Events.KvEventsOptions? CheckEvents(ServeDraft draft)
    {
        if (draft.KvEvents is { } events && !draft.Cache.KeepInMemory)
        {
            draft.Add(FindingKind.Warning, "--kv-events-config", "", "this node keeps no chunks in memory (LMCACHE_LOCAL_CPU is off): there will be no events.");
        }
        else if (draft.KvEvents is { } open && open.Endpoint.Contains('*'))
        {
            draft.Add(FindingKind.Warning, "--kv-events-config", "", $"{open.Endpoint} is open to whoever reaches this node, and events carry the tokens of prompts. Name an address of a network that you trust, such as tcp://127.0.0.1:5557.");
        }
        return draft.KvEvents;
    }

    private static void WarnOfIdleExchangeSettings(ServeDraft draft, IReadOnlyDictionary<string, string> environment)
    {
        foreach (var name in environment.Keys.Order(StringComparer.Ordinal))
        {
            var matters = name.StartsWith("VLLM_NIXL_SIDE_CHANNEL", StringComparison.Ordinal) ||
                LmCacheSettings.Engine.Honoured.Any(setting => setting.Names.Contains(name));
            if (matters)
            {
                draft.Add(FindingKind.Warning, name, environment[name], "no effect without --kv-transfer-config: this node exchanges no KV.");
            }
        }
    }

    private static void CheckBufferDevice(ServeDraft draft)
    {
        var device = draft.BufferDevice;
        if (device is null or "cpu")
        {
            return;
        }
        if ((device == "cuda" && draft.Device.Name == "mi300x") || (device == "hpu" && draft.Device.Name == "gaudi3"))
        {
            draft.Add(FindingKind.Warning, "kv_buffer_device", device, "Ferry stages KV in host memory: this means cpu here. (With real accelerators both sides must name the same kind of memory.)");
            return;
        }
        // vLLM's device matrix: ROCm calls itself cuda, so "rocm" is refused there too.
        var hint = device == "rocm" ? " (vLLM's ROCm platform calls itself cuda and refuses rocm, too)" : "";
        Error(draft, "kv_buffer_device", device, $"kv_buffer_device '{device}' does not exist for --device {draft.Device.Name}{hint}. Use cpu.");
    }

    private static void CheckPd(ServeDraft draft)
    {
        if (draft.Cache.PdRole is { } role && draft.Role is { } kvRole && kvRole != KvRole.Both && (role == "sender") != (kvRole == KvRole.Producer))
        {
            Error(draft, "LMCACHE_PD_ROLE", role, $"LMCACHE_PD_ROLE={role} contradicts kv_role: sender belongs to kv_producer, receiver to kv_consumer. Correct the one that is wrong.");
        }
        if (draft.Cache.EnablePd == false)
        {
            draft.Add(FindingKind.Warning, "LMCACHE_ENABLE_PD", "False", "the hand-over is on all the same: --kv-transfer-config decides.");
        }
    }

    private static void CheckSideChannel(ServeDraft draft, IMachine machine)
    {
        var host = draft.SideChannelHost;
        if (host is null)
        {
            draft.Add(FindingKind.Warning, "VLLM_NIXL_SIDE_CHANNEL_HOST", "", "not set: peers are told 'localhost', so only nodes on this machine can fetch from this one. Set it to this node's own address.");
        }
        else if (machine.WhyNotLocal(host) is { } reason)
        {
            Error(draft, "VLLM_NIXL_SIDE_CHANNEL_HOST", host,
                $"{reason}. Every node sets its own address here, the decode node too: it is what this node listens on and tells its peers, not whom it connects to. " +
                "(vLLM would hang at start with this value.) The prefill node's address reaches the decode node in kv_transfer_params.");
        }
        else if (host is not ("localhost" or "127.0.0.1" or "::1") && draft.SharedSecret is null && host is not ("0.0.0.0" or "::"))
        {
            Error(draft, "VLLM_NIXL_SIDE_CHANNEL_HOST", host,
                $"{host} can be reached from other machines, and whoever reaches the side channel could read KV. Set FERRY_SHARED_SECRET to the same value of at least {LeastSecretBytes} bytes on every node (openssl rand -hex 32).");
        }
        else if (host is "0.0.0.0" or "::")
        {
            Error(draft, "VLLM_NIXL_SIDE_CHANNEL_HOST", host, $"{host} is no address that a peer can dial, and peers are told this one. Set this node's own address.");
        }
    }

    private static TlsFiles? Tls(ServeDraft draft)
    {
        (string Name, string? File)[] files = [("FERRY_TLS_CERT", draft.TlsCertificate), ("FERRY_TLS_KEY", draft.TlsKey), ("FERRY_TLS_CA", draft.TlsAuthority)];
        if (Array.TrueForAll(files, one => one.File is null))
        {
            return null;
        }
        foreach (var (name, file) in files)
        {
            if (file is null)
            {
                Error(draft, name, "", $"{name} is not set, and others of FERRY_TLS_CERT, FERRY_TLS_KEY and FERRY_TLS_CA are. TLS between nodes needs all three.");
            }
            else if (!File.Exists(file))
            {
                Error(draft, name, file, $"{name} is '{file}', which is no file that this process can see.");
            }
        }
        return new TlsFiles(draft.TlsCertificate ?? "", draft.TlsKey ?? "", draft.TlsAuthority ?? "");
    }

    private static void CheckSecret(ServeDraft draft)
    {
        if (draft.SharedSecret is { } secret && Encoding.UTF8.GetByteCount(secret) < LeastSecretBytes)
        {
            Error(draft, "FERRY_SHARED_SECRET", "***", $"FERRY_SHARED_SECRET has {Encoding.UTF8.GetByteCount(secret)} bytes; it must have at least {LeastSecretBytes} (openssl rand -hex 32).");
        }
    }

    private static long MemoryTierBytes(ServeDraft draft, IMachine machine, int ranks)
    {
        if (draft.Cache.MemoryBytes is not { } perRank)
        {
            return DefaultMemoryTierBytes;
        }
        var limit = machine.MemoryBytes / 2;
        // Both are bounded: a size is at most 2^50 bytes (the setting's limit) and ranks at most 64.
        var wanted = perRank * ranks;
        if (wanted > limit)
        {
            draft.Add(FindingKind.Warning, "LMCACHE_MAX_LOCAL_CPU_SIZE", Gib(perRank),
                $"{Gib(perRank)} GiB for each of {ranks} ranks is {Gib(wanted)} GiB for the node, more than half of this machine's {Gib(machine.MemoryBytes)} GiB; {Gib(limit)} GiB are used.");
            return limit;
        }
        return wanted;
    }

    private static string Gib(long bytes) => ((double)bytes / (1L << 30)).ToString("0.##", System.Globalization.CultureInfo.InvariantCulture);

    private static void Error(ServeDraft draft, string name, string value, string text) => draft.Add(FindingKind.Error, name, value, text);
}
