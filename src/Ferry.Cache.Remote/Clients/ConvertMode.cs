namespace Ferry.Cache.Remote.Clients;

/// <summary>What a client gets whose own shard is not there while others are that could be made into it.</summary>
public enum ConvertMode
{
    /// <summary>The converted shard.</summary>
    On,

    /// <summary>A miss.</summary>
    Off,

    /// <summary>A miss, and a count and a line in the log of what would have been converted.</summary>
    Log,
}
