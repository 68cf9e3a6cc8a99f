using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Ferry.Transfer.Nixl.Handshake;

/// <summary>What two vLLM instances must agree in before they trust each other's bytes, and its hash (metadata.py, compute_nixl_compatibility_hash).</summary>
/// <remarks>Tensor-parallel size, block size and layout are not among them: those are compared field by field afterwards.</remarks>
public sealed record CompatibilityFactors
{
    /// <summary>vLLM's NIXL_CONNECTOR_VERSION that Ferry was written against.</summary>
    public const int CurrentConnectorVersion = 7;

    private const int SpeculativeSince = 6;
    private const int TransferModeSince = 7;

    public required string VllmVersion { get; init; }

    public int ConnectorVersion { get; init; } = CurrentConnectorVersion;

    /// <summary>As given to <c>--model</c>: a path and a hub id are two models.</summary>
    public required string Model { get; init; }

    /// <summary>As torch writes it: <c>torch.bfloat16</c>.</summary>
    public required string DType { get; init; }

    /// <summary>KV heads of the whole model.</summary>
    public required int KvHeads { get; init; }

    public required int HeadDim { get; init; }

    public required int Layers { get; init; }

    /// <summary><c>FLASH_ATTN</c>, <c>TRITON_ATTN</c> on ROCm, <c>CUSTOM</c> on Gaudi: unlike vendors never agree here.</summary>
    public required string AttentionBackend { get; init; }

    /// <summary><c>--kv-cache-dtype</c>.</summary>
    public string CacheDType { get; init; } = "auto";

    public bool CrossLayersBlocks { get; init; }

    public bool IsHybridMemory { get; init; } = true;

    /// <summary>The factors of speculative decoding as JSON with sorted keys, or null for none.</summary>
    public string? SpeculativeJson { get; init; }

    /// <summary><c>pull</c> or <c>push</c>.</summary>
    public string TransferMode { get; init; } = "pull";

    /// <summary>The JSON that is hashed: keys sorted, as Python's <c>json.dumps</c> writes it.</summary>
    public string ToJson()
    {
        var json = new StringBuilder("{");
        Text("attn_backend_name", AttentionBackend);
        Text("cache_dtype", CacheDType);
        Raw("cross_layers_blocks", CrossLayersBlocks ? "true" : "false");
        Text("dtype", DType);
        Number("head_size", HeadDim);
        Raw("is_hma_enabled", IsHybridMemory ? "true" : "false");
        Text("model", Model);
        Number("nixl_connector_version", ConnectorVersion);
        Number("num_hidden_layers", Layers);
        Number("num_kv_heads", KvHeads);
        if (ConnectorVersion >= SpeculativeSince) { Raw("speculative_config", SpeculativeJson ?? "null"); }
        if (ConnectorVersion >= TransferModeSince) { Text("transfer_mode", TransferMode); }
        Text("vllm_version", VllmVersion);
        return json.Append('}').ToString();

        void Raw(string key, string value)
        {
            if (json.Length > 1) { json.Append(", "); }
            json.Append('"').Append(key).Append("\": ").Append(value);
        }

        void Number(string key, int value) => Raw(key, value.ToString(CultureInfo.InvariantCulture));

        void Text(string key, string value)
        {
            Raw(key, "\"");
            AppendEscaped(json, value);
            json.Append('"');
        }
    }

    /// <summary>SHA-256 of <see cref="ToJson"/>, in hex.</summary>
    public string Hash() => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(ToJson())));

    /// <summary>Python's ensure_ascii: everything outside the printable ASCII is escaped.</summary>
    private static void AppendEscaped(StringBuilder json, string value)
    {
        foreach (var unit in value)
        {
            _ = unit switch
            {
                '"' => json.Append("\\\""),
                '\\' => json.Append("\\\\"),
                '\n' => json.Append("\\n"),
                '\r' => json.Append("\\r"),
                '\t' => json.Append("\\t"),
                '\b' => json.Append("\\b"),
                '\f' => json.Append("\\f"),
                >= ' ' and <= '~' => json.Append(unit),
                _ => json.Append("\\u").Append(((int)unit).ToString("x4", CultureInfo.InvariantCulture)),
            };
        }
    }
}
