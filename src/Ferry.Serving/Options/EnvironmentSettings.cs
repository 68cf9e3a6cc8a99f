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
        Name("UCX_TLS", "LIST", "all", "Transports that may carry KV, by UCX's grammar. This build has tcp and self; others warn.", (d, v) => d.Transports = UcxTransports.Parse(v)),
        Name("PYTHONHASHSEED", "N", "0", "Root of the chunk hashes: 0..4294967295, equal on all nodes that share KV.", ApplyHashSeed),
        Name("FERRY_SHARED_SECRET", "TEXT", "none", "Proved by both ends of every connection between nodes; needed unless the side channel is loopback. Equal on all nodes.", (d, v) => d.SharedSecret = v.Text) with { IsSecret = true },
        Idle("VLLM_KV_CACHE_LAYOUT", "no effect: --device chooses the axis order"),
        Idle("VLLM_USE_V1", "no effect: there is one engine"),
        Idle("VLLM_LOGGING_LEVEL", "no effect: use --log-level"),
        Idle("VLLM_NIXL_ABORT_REQUEST_TIMEOUT", "no effect: vLLM dropped it too; use kv_lease_duration"),
        .. Group(NoDriver, "HSA_FORCE_FINE_GRAIN_PCIE", "ROCM_HOME", "HIP_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES", "CUDA_VISIBLE_DEVICES", "HABANA_VISIBLE_DEVICES", "PT_HPU_LAZY_MODE",
            "PT_HPU_ENABLE_LAZY_COLLECTIVES", "PT_HPU_ENABLE_RESTORE_KV_LAYOUT", "OMPI_MCA_btl_vader_single_copy_mechanism", "VLLM_HPU_HETERO_KV_LAYOUT", "VLLM_HPU_NIXL_JOINT_KV",
            "VLLM_HPU_NIXL_STAGING_SLOTS", "VLLM_NIXL_DEVICE_TO_DEVICE", "VLLM_ROCM_USE_AITER", "VLLM_ROCM_SHUFFLE_KV_CACHE_LAYOUT"),
        Name("AWS_ACCESS_KEY_ID", "TEXT", "none", "Credentials of an S3 shared tier, together with AWS_SECRET_ACCESS_KEY.", static (_, _) => { }) with { IsSecret = true },
        Name("AWS_SECRET_ACCESS_KEY", "TEXT", "none", "See AWS_ACCESS_KEY_ID.", static (_, _) => { }) with { IsSecret = true },
        Name("AWS_SESSION_TOKEN", "TEXT", "none", "Goes with short-lived credentials.", static (_, _) => { }) with { IsSecret = true },
        Name("AWS_DEFAULT_REGION", "NAME", "default", "Region of an S3 shared tier; Ceph takes any. (LMCache itself never reads it.)", (d, v) => d.Cache.S3Region ??= v.Text),
        .. Group("no effect: Ferry's transports are not UCX; only UCX_TLS is read", "UCX_NET_DEVICES", "UCX_MEMTYPE_CACHE", "UCX_RNDV_THRESH", "UCX_RNDV_SCHEME", "UCX_RCACHE_MAX_UNRELEASED", "UCX_IB_GID_INDEX", "UCX_LOG_LEVEL", "UCX_PROTO_INFO"),
    ];

    /// <summary>Prefixes whose unknown names are worth a word.</summary>
    internal static IReadOnlyList<string> WatchedPrefixes { get; } = ["VLLM_", "UCX_", "FERRY_"];

    private static Setting<ServeDraft> Name(string name, string value, string @default, string text, Action<ServeDraft, SettingValue> apply) =>
        new(name, value, @default, text, apply);

    private static Setting<ServeDraft> Idle(string name, string text) => new(name, "VALUE", "", text + ".", null);

    private static IEnumerable<Setting<ServeDraft>> Group(string text, params string[] names) => names.Select(name => Idle(name, text));

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
