using System.Text.Json;
using Ferry.Router.Bodies;

namespace Ferry.Router.Connectors;

/// <summary>The host in a prefill node's parameters, as a decode node can reach it.</summary>
internal static class RemoteHost
{
    private static readonly byte[][] Wildcards = ["\"0.0.0.0\""u8.ToArray(), "\"::\""u8.ToArray(), "\"[::]\""u8.ToArray(), "\"*\""u8.ToArray(), "\"\""u8.ToArray()];

    /// <summary>
    /// An engine advertises the address that it binds (VLLM_NIXL_SIDE_CHANNEL_HOST), so one that binds every address advertises none that
    /// can be dialled. The host of the node's URL takes its place; everything else stays byte for byte.
    /// </summary>
    public static ReadOnlyMemory<byte> Reachable(JsonBody parameters, Uri node)
    {
        var host = parameters.Value("remote_host"u8);
        foreach (var wildcard in Wildcards)
        {
            if (host.Span.SequenceEqual(wildcard))
            {
                // IdnHost has no brackets around an IPv6 address; vLLM puts them where it needs them.
                return new JsonEdit(parameters).Set(BodyNames.RemoteHost, JsonSerializer.SerializeToUtf8Bytes(node.IdnHost)).Build().ToArray();
            }
        }
        return parameters.Bytes;
    }
}
