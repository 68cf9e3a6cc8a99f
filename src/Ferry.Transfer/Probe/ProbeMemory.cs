namespace Ferry.Transfer.Probe;

/// <summary>What kind of memory a measurement moves bytes between. The numbers are on the wire.</summary>
public enum ProbeMemory : byte
{
    /// <summary>Of one process, with huge pages where the system gives them: as an exchange's arena.</summary>
    Private = 0,

    /// <summary>A memfd, which other processes of the host map.</summary>
    Shared = 1,
}
