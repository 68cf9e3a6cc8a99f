using Ferry.Cache.Remote.Settings;
using Ferry.Kv.Settings;

namespace Ferry.Serving.Options;

/// <summary>Environment names other than LMCache's.</summary>
public static class EnvironmentSettings
{
    private const string NoDriver = "no effect: the engine runs on the CPU, no accelerator driver is loaded";

    public static IReadOnlyList<Setting<ServeDraft>> All { get; } =
    [
        Name("VLLM_NIXL_SIDE_CHANNEL_HOST", "ADDRESS", "localhost", "Address of this node that peers dial. Each node sets its own; the decode node learns the prefill node's from kv_transfer_params.", (d, v) => d.SideChannelHost = v.Text),
        Name("VLLM_NIXL_SIDE_CHANNEL_PORT", "N", "5600", "Port of the side channel; peers are told it.", (d, v) => d.SideChannelPort = v.Int(1, 65535, 5600)),
        Name("VLLM_API_KEY", "KEY", "none", "Like --api-key.", (d, v) => d.ApiKeys.Add(v.Text)) with { IsSecret = true },
        Name("UCX_TLS", "LIST", "all", "Transports that may carry KV, by UCX's grammar: sm selects shared memory, tcp TCP, rc and other RDMA UCX. 'ferry transport info' shows what a value comes to on a host.", TransportSettings.ApplyUcxTls),
        Name("FERRY_TRANSFER", "auto|ucx|managed", "auto", "Whether UCX carries KV: auto where it brings RDMA or an accelerator, ucx always, managed never.", TransportSettings.ApplyPreference),
        Name("FERRY_UCX_LIB", "FILE", "libucp.so.0", "The libucp to load instead of the system's.", static (_, _) => { }),
        Name("PYTHONHASHSEED", "N", "0", "Root of the chunk hashes: 0..4294967295, equal on all nodes that share KV.", ApplyHashSeed),
        Name("FERRY_SHARED_SECRET", "TEXT", "none", "Proved by both ends of every connection between nodes; needed unless the side channel is loopback. Equal on all nodes.", (d, v) => d.SharedSecret = v.Text) with { IsSecret = true },
        Name("FERRY_TLS_CERT", "FILE", "none", "This node's certificate (PEM): the side channel, and KV over TCP, then go by mutual TLS 1.3. On all nodes or on none; with FERRY_TLS_KEY and FERRY_TLS_CA.", (d, v) => d.TlsCertificate = v.Text),
        Name("FERRY_TLS_KEY", "FILE", "none", "The certificate's key (PEM).", (d, v) => d.TlsKey = v.Text),
        Name("FERRY_TLS_CA", "FILE", "none", "The authority (PEM) that has signed the certificates of all nodes.", (d, v) => d.TlsAuthority = v.Text),
        Idle("VLLM_KV_CACHE_LAYOUT", "no effect: --device chooses the axis order"),
        Idle("VLLM_USE_V1", "no effect: there is one engine"),
        Idle("VLLM_LOGGING_LEVEL", "no effect: use --log-level"),
        Idle("VLLM_NIXL_ABORT_REQUEST_TIMEOUT", "no effect: vLLM dropped it too; use kv_lease_duration"),
        .. Group(NoDriver, "HSA_FORCE_FINE_GRAIN_PCIE", "ROCM_HOME", "HIP_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES", "CUDA_VISIBLE_DEVICES", "HABANA_VISIBLE_DEVICES", "PT_HPU_LAZY_MODE",
            "PT_HPU_ENABLE_LAZY_COLLECTIVES", "PT_HPU_ENABLE_RESTORE_KV_LAYOUT", "OMPI_MCA_btl_vader_single_copy_mechanism", "VLLM_HPU_HETERO_KV_LAYOUT", "VLLM_HPU_NIXL_JOINT_KV",
            "VLLM_HPU_NIXL_STAGING_SLOTS", "VLLM_NIXL_DEVICE_TO_DEVICE", "VLLM_ROCM_USE_AITER", "VLLM_ROCM_SHUFFLE_KV_CACHE_LAYOUT"),
        .. AwsSettings.Of<ServeDraft>(static draft => draft.Cache),
        .. Native("Read by UCX itself, where UCX carries KV.", "UCX_NET_DEVICES", "UCX_MEMTYPE_CACHE", "UCX_RNDV_THRESH", "UCX_RNDV_SCHEME", "UCX_RCACHE_MAX_UNRELEASED", "UCX_IB_GID_INDEX", "UCX_LOG_LEVEL", "UCX_LOG_FILE", "UCX_PROTO_INFO", "UCX_TCP_TX_SEG_SIZE", "UCX_TCP_RX_SEG_SIZE"),
    ];

    /// <summary>Prefixes whose unknown names are worth a word.</summary>
    internal static IReadOnlyList<string> WatchedPrefixes { get; } = ["VLLM_", "UCX_", "FERRY_"];

    private static Setting<ServeDraft> Name(string name, string value, string @default, string text, Action<ServeDraft, SettingValue> apply) =>
        new(name, value, @default, text, apply);

    private static Setting<ServeDraft> Idle(string name, string text) => new(name, "VALUE", "", text + ".", null);

    private static IEnumerable<Setting<ServeDraft>> Group(string text, params string[] names) => names.Select(name => Idle(name, text));

    private static IEnumerable<Setting<ServeDraft>> Native(string text, params string[] names) => names.Select(name => Name(name, "VALUE", "", text, static (_, _) => { }));

    private static void ApplyHashSeed(ServeDraft draft, SettingValue value)
    {
        if (value.Text == "random")
        {
            value.Error("PYTHONHASHSEED is 'random': every start would hash differently and no node would find another's KV. Set the same number on all nodes, for example 0.");
            return;
        }
        draft.HashSeed = value.Long(0, uint.MaxValue).ToString(System.Globalization.CultureInfo.InvariantCulture);
    }
}
