using Ferry.Cluster.Sources;

namespace Ferry.Cluster.Lint.Vllm;

/// <summary>The fields of <c>--kv-transfer-config</c> (vllm/config/kv_transfer.py) and of the connectors' extra configuration, with their types.</summary>
internal static class TransferFields
{
    private static readonly string[] Strings = ["kv_connector", "engine_id", "kv_buffer_device", "kv_role", "kv_ip", "kv_connector_module_path", "kv_load_failure_policy"];

    private static readonly string[] Numbers = ["kv_buffer_size", "kv_rank", "kv_parallel_size", "kv_port"];

    private static readonly Dictionary<string, string> Types = new[]
    {
        Strings.Select(name => (name, "a string")), Numbers.Select(name => (name, "a number")),
        [("kv_connector_extra_config", "an object"), ("enable_permute_local_kv", "true or false")],
    }.SelectMany(group => group).ToDictionary(StringComparer.Ordinal);

    /// <summary>Keys of NIXL's extra configuration and their types.</summary>
    private static readonly Dictionary<string, string> NixlTypes = new(StringComparer.Ordinal)
    {
        ["backends"] = "a list",
        ["num_threads"] = "a number",
        ["kv_lease_duration"] = "a number",
        ["enforce_handshake_compat"] = "true or false",
        ["engine_ttl"] = "a number",
        ["enable_cross_layers_blocks"] = "true or false",
        ["bidirectional_kv_xfer"] = "true or false",
        ["decoder_kv_blocks_ttl"] = "a number",
        ["kv_recompute_threshold"] = "a number",
        ["push_registration_timeout"] = "a number",
        ["agreed_block_size"] = "a number",
        ["num_workers"] = "a number",
        ["ucx_error_handling_mode"] = "a string",
        ["engine_config"] = "a string",
        ["device_list"] = "a string",
    };

    /// <summary>Fields that only connectors of the V0 engine read.</summary>
    public static IReadOnlyList<string> Legacy { get; } = ["kv_rank", "kv_parallel_size", "kv_ip", "kv_port", "kv_buffer_size"];

    public static IReadOnlyCollection<string> Names => Types.Keys;

    public static IReadOnlyCollection<string> NixlExtraNames => NixlTypes.Keys;

    /// <summary>What a field takes, or null for an unknown field.</summary>
    public static string? TypeOf(string field) => Types.GetValueOrDefault(field);

    /// <summary>What a key of NIXL's extra configuration takes, or null.</summary>
    public static string? TypeOfNixlExtra(string key) => NixlTypes.GetValueOrDefault(key);

    /// <summary>Whether a value is of the type; null passes, since every field may be null.</summary>
    public static bool IsOfType(DataNode value, string type) => value.Kind == DataKind.Null || type switch
    {
        "a string" => value.Kind == DataKind.String,
        "a number" => value.Kind == DataKind.Number,
        "true or false" => value.Kind is DataKind.True or DataKind.False,
        "an object" => value.Kind == DataKind.Object,
        _ => value.Kind == DataKind.Array,
    };
}
