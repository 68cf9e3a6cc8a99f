using Ferry.Transfer.Ucx;

namespace Ferry.Transfer.Nixl;

/// <summary>Memory that an agent has registered: named in its metadata, and the near end of its own transfers.</summary>
/// <remarks>
/// NIXL has no leases: whoever holds the metadata may read and write it at any time until this is disposed <em>and</em> the peers have
/// forgotten it. Free memory only after both.
/// </remarks>
public sealed class NixlMemory : IAsyncDisposable
{
    private readonly NixlAgent _agent;
    private readonly UseGate _uses = new();

    internal NixlMemory(NixlAgent agent, UcxMemory mapped, ulong deviceId)
    {
        _agent = agent;
        Mapped = mapped;
        // UCX calls memory of the processor host; every other kind is an accelerator's.
        MemoryType = string.Equals(mapped.MemoryType, "host", StringComparison.Ordinal) ? NixlMemoryType.Dram : NixlMemoryType.Vram;
        Range = new NixlDescriptor((ulong)mapped.Address, (ulong)mapped.Bytes, deviceId);
    }

    public NixlMemoryType MemoryType { get; }

    /// <summary>As peers name it.</summary>
    public NixlDescriptor Range { get; }

    internal UcxMemory Mapped { get; }

    /// <summary>Takes it out of the metadata, waits for own transfers and unmaps it.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_agent.Forget(this))
        {
            await _uses.CloseAsync();
            Mapped.Dispose();
        }
    }

    /// <summary>Holds it for a transfer; false once it is being disposed.</summary>
    internal bool TryUse() => _uses.TryEnter();

    internal void EndUse() => _uses.Leave();
}
