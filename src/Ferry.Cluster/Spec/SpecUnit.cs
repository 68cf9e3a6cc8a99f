namespace Ferry.Cluster.Spec;

/// <summary>How the number of a key is written.</summary>
public enum SpecUnit
{
    /// <summary>As a number.</summary>
    None,

    /// <summary>20GiB, 500MB, 4096.</summary>
    Bytes,

    /// <summary>50GB/s, 400Gbit/s.</summary>
    BytesPerSecond,
}
