namespace Ferry.TestKit.Disk;

/// <summary>What a power failure does to writes that no sync has covered.</summary>
public enum PowerLoss
{
    KeepsAll,
    LosesAll,

    /// <summary>Any of them is there or not: order means nothing.</summary>
    Reorders,

    /// <summary>And of each that is there, only some sectors may be.</summary>
    Tears,
}
