using Ferry.Router.Bodies;

namespace Ferry.Router.Connectors;

/// <summary>vLLM's NixlConnector: the decode node reads the blocks that the prefill node's answer names. All wire forms: flat and grouped block ids.</summary>
internal sealed class NixlPullProfile : IConnectorProfile
{
    private static readonly byte[][] Always = ["remote_block_ids"u8.ToArray(), "remote_engine_id"u8.ToArray(), "remote_host"u8.ToArray(), "remote_port"u8.ToArray()];
    private static readonly byte[][] SinceRequestIds = [.. Always, "remote_request_id"u8.ToArray()];

    public string Name => "nixl-pull";

    public ReadOnlyMemory<byte> Wish => NixlWish.Bytes;

    public bool NeedsParams => true;

    /// <remarks>vLLM logs "Got invalid KVTransferParams" and recomputes.</remarks>
    public string? WhyUnusable(JsonBody parameters, NodeVersion? prefillVersion)
    {
        // Grouped ids are the newer form whatever the version says: its readers want remote_request_id.
        var isNewer = prefillVersion?.HasRequestIds == true || IsGrouped(parameters);
        return NixlWish.FirstMissing(parameters, isNewer ? SinceRequestIds : Always);
    }

    /// <summary>Whether the block ids are a list of lists (one a KV cache group).</summary>
    public static bool IsGrouped(JsonBody parameters)
    {
        var ids = parameters.Value("remote_block_ids"u8).Span;
        return ids.Length > 1 && ids[0] == (byte)'[' && ids[1..].TrimStart(" \n\r\t"u8).StartsWith("["u8);
    }
}
