using Ferry.Transfer.Ucx.Native;

namespace Ferry.Transfer.Ucx;

/// <summary>A call of UCX failed where nothing of a peer was involved: memory, contexts, workers.</summary>
internal sealed class UcxException(string message, UcsStatus status) : Exception(message)
{
    public UcsStatus Status { get; } = status;
}
