namespace Ferry.Cache.Remote.Hosting.Options;

/// <summary>What happens when a client asks for a shard that is there in another shape only.</summary>
public enum ConvertMode
{
    /// <summary>It is a miss.</summary>
    Off,

    /// <summary>It is converted, where a model card says the shape.</summary>
    On,

    /// <summary>It is a miss, and the log says what would have been converted.</summary>
    Log,
}
