using Ferry.Cluster.Sources;

namespace Ferry.Cluster.Observed;

/// <summary>A process's <c>--kv-transfer-config</c>: one JSON word, dotted flags, or both.</summary>
/// <param name="Flag">The first flag that gives it.</param>
/// <param name="Json">The object; null when it is no JSON. Dotted flags alone stand here as an object of strings.</param>
/// <param name="Error">Why it is no JSON.</param>
internal sealed record KvTransferConfig(ArgumentFlag Flag, DataNode? Json, JsonError? Error)
{
    /// <summary><c>kv_connector</c>.</summary>
    public SourcedText? Connector => Text("kv_connector");

    /// <summary><c>kv_role</c>.</summary>
    public SourcedText? Role => Text("kv_role");

    /// <summary><c>kv_buffer_device</c>; null means the platform's own device type.</summary>
    public SourcedText? BufferDevice => Text("kv_buffer_device");

    /// <summary><c>kv_connector_extra_config</c>.</summary>
    public DataNode? Extra => Json?.Find("kv_connector_extra_config");

    /// <summary>The connectors that really run: the children of a <c>MultiConnector</c>, else the connector itself.</summary>
    public IReadOnlyList<DataNode> Connectors => Json is null ? [] :
        Connector?.Value == "MultiConnector" && Extra?.Find("connectors") is { Kind: DataKind.Array } children
            ? [.. children.Items.Where(item => item.Kind == DataKind.Object)]
            : [Json];

    /// <summary>The configuration of a connector among <see cref="Connectors"/> whose name passes, or null.</summary>
    public DataNode? FindConnector(Func<string, bool> isWanted) =>
        Connectors.FirstOrDefault(connector => connector.Find("kv_connector")?.TryString() is { } name && isWanted(name));

    /// <summary>NixlConnector and its pull and push forms.</summary>
    public DataNode? Nixl => FindConnector(name => name is "NixlConnector" or "NixlPullConnector" or "NixlPushConnector");

    /// <summary>LMCache in this process (<c>LMCacheConnectorV1</c>) or by its daemon (<c>LMCacheMPConnector</c>).</summary>
    public DataNode? LmCache => FindConnector(name => name.StartsWith("LMCache", StringComparison.Ordinal));

    /// <summary>LMCache's connector in the worker process, which reads LMCACHE_* variables and its YAML.</summary>
    public DataNode? LmCacheInProcess => FindConnector(name => name.StartsWith("LMCacheConnector", StringComparison.Ordinal));

    private SourcedText? Text(string key) => Json?.Find(key) is { Kind: DataKind.String } value ? value.Text : null;
}
