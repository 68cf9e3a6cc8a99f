using Ferry.Router.Bodies;

namespace Ferry.Router.Connectors;

/// <summary>How one KV connector meets over the two legs.</summary>
internal interface IConnectorProfile
{
    /// <summary>As in configuration, headers and logs.</summary>
    string Name { get; }

    /// <summary>Raw kv_transfer_params of the first leg; empty: the connector takes none.</summary>
    ReadOnlyMemory<byte> Wish { get; }

    /// <summary>Whether the second leg needs what the first one returned; false: both ends find the KV by its content.</summary>
    bool NeedsParams { get; }

    /// <summary>What a decode node would miss in these parameters and then compute in silence; null: nothing.</summary>
    /// <param name="prefillVersion">Of the node that answered; null when it is not known.</param>
    string? WhyUnusable(JsonBody parameters, NodeVersion? prefillVersion);
}
