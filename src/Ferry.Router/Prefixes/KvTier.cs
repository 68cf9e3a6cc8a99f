namespace Ferry.Router.Prefixes;

/// <summary>What is known of a block at a node. The numbers are positions in the index.</summary>
internal enum KvTier
{
    /// <summary>Sent there by a router, so probably computed there; no event says so.</summary>
    Routed = 0,

    /// <summary>In the accelerator's memory: an event says so.</summary>
    Device = 1,

    /// <summary>In the node's host memory.</summary>
    Host = 2,

    /// <summary>On disk or in an object store, as this node sees it.</summary>
    Storage = 3,
}
