namespace Ferry.Transfer.Ucx.Native;

/// <summary>ucp_feature.</summary>
[Flags]
internal enum UcpFeatures : ulong
{
    None = 0,
    Rma = 1 << 1,
    Atomic32 = 1 << 2,
    Atomic64 = 1 << 3,

    /// <summary>Event descriptors: without it a waiting thread must spin.</summary>
    Wakeup = 1 << 4,
    ActiveMessages = 1 << 6,
}
