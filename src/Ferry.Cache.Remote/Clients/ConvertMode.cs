namespace Ferry.Cache.Remote.Clients;

/// <summary>What a client gets whose own shard is not there while others are that could be made into it.</summary>
public enum ConvertMode
{
    /// <summary>The converted shard.</summary>
    On,

    /// <summary>A miss.</summary>
    Off,

    /// <summary>A miss, and a count and a line in the log where memory or a tier has what would have been converted: one look-up more for each miss.</summary>
    Log,
}
