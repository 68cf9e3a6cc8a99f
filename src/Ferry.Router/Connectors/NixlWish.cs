using Ferry.Router.Bodies;

namespace Ferry.Router.Connectors;

/// <summary>What NIXL's connectors and Ferry have in common: the wish of the first leg and the address in its answer.</summary>
internal static class NixlWish
{
    /// <summary>As vLLM's reference proxy sends it.</summary>
    public static readonly ReadOnlyMemory<byte> Bytes =
        """{"do_remote_decode": true, "do_remote_prefill": false, "remote_engine_id": null, "remote_block_ids": null, "remote_host": null, "remote_port": null}"""u8.ToArray();

    /// <summary>The first of the names that has no value; null: all have one.</summary>
    public static string? FirstMissing(JsonBody parameters, ReadOnlySpan<byte[]> names)
    {
        foreach (var name in names)
        {
            if (!parameters.Asks(name))
            {
                return $"kv_transfer_params have no {System.Text.Encoding.UTF8.GetString(name)}";
            }
        }
        return null;
    }
}
