using System.Text.Json;
using Ferry.Router.Bodies;

namespace Ferry.Router.Connectors;

/// <summary>vLLM's NixlPushConnector: the decode node registers its blocks with the prefill node, which writes into them.</summary>
/// <remarks>
/// Both legs must carry one X-Request-Id: the prefill node matches the registration to its finished request by it. Where the prefill node's
/// coordinates are configured the legs run at the same time; else the first leg's answer names them.
/// </remarks>
internal sealed class NixlPushProfile : IConnectorProfile
{
    private static readonly byte[][] Required = ["remote_engine_id"u8.ToArray(), "remote_host"u8.ToArray(), "remote_port"u8.ToArray(), "remote_request_id"u8.ToArray()];

    public string Name => "nixl-push";

    public ReadOnlyMemory<byte> Wish => NixlWish.Bytes;

    public bool NeedsParams => true;

    public string? WhyUnusable(JsonBody parameters, NodeVersion? prefillVersion) => NixlWish.FirstMissing(parameters, Required);

    /// <summary>Parameters of the second leg from configuration alone, so that it need not wait for the first.</summary>
    public static byte[] ParamsFor(PushTarget target, string requestId, ApiKind api)
    {
        using var bytes = new MemoryStream(256);
        using (var writer = new Utf8JsonWriter(bytes))
        {
            writer.WriteStartObject();
            writer.WriteBoolean("do_remote_prefill", true);
            writer.WriteBoolean("do_remote_decode", false);
            writer.WriteString("remote_engine_id", target.EngineId);
            writer.WriteString("remote_host", target.Host);
            writer.WriteNumber("remote_port", target.Port);
            writer.WriteNumber("tp_size", target.TensorParallelSize);
            writer.WriteNumber("pp_size", target.PipelineParallelSize);
            writer.WriteString("remote_request_id", EngineRequestId(requestId, api));
            writer.WriteEndObject();
        }
        return bytes.ToArray();
    }

    /// <summary>The id that vLLM's server gives the engine, without the random suffix, which the prefill node strips before it compares.</summary>
    private static string EngineRequestId(string requestId, ApiKind api) => api switch
    {
        ApiKind.Completions => $"cmpl-{requestId}-0",
        ApiKind.Chat => $"chatcmpl-{requestId}",
        _ => $"resp_{requestId}",
    };
}
