namespace Ferry.Kv.Ucx;

/// <summary>What a transport carries bytes over.</summary>
public enum UcxTransportKind
{
    /// <summary>Inside one worker.</summary>
    Loopback,

    /// <summary>Between processes of one host.</summary>
    SharedMemory,

    /// <summary>Sockets.</summary>
    Tcp,

    /// <summary>A network adapter that reads and writes memory by itself: InfiniBand, RoCE, EFA, Cray.</summary>
    Rdma,

    /// <summary>Copies to, from and between accelerators; carries no messages.</summary>
    Accelerator,
}
