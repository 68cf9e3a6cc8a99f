namespace Ferry.Serving.Options;

/// <summary>vLLM's <c>kv_role</c>.</summary>
public enum KvRole
{
    /// <summary>Prefills and lends its KV (kv_producer).</summary>
    Producer,

    /// <summary>Fetches KV and decodes (kv_consumer).</summary>
    Consumer,

    /// <summary>Both (kv_both).</summary>
    Both,
}
