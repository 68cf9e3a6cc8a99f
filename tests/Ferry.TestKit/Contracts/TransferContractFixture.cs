using Ferry.TestKit.Transfer;
using Ferry.Transfer;
using Ferry.Transfer.SharedMemory;
using Ferry.Transfer.SideChannel;
using Xunit;

namespace Ferry.TestKit.Contracts;

/// <summary>Agents of a medium, and at the end of every test the proof that they left nothing open.</summary>
public abstract class TransferContractFixture : IAsyncLifetime
{
    private readonly List<ITransferAgent> _agents = [];
    private readonly List<SharedArena> _shared = [];

    protected static readonly TimeSpan Long = TimeSpan.FromMinutes(5);

    /// <summary>Starts an agent of the medium with these options. <paramref name="endpoint"/> is that of a disposed agent to come back at, or null.</summary>
    protected abstract Task<ITransferAgent> StartAsync(TransferAgentOptions options, string? endpoint);

    /// <summary>Lets time pass for the agents.</summary>
    protected abstract Task PassAsync(TimeSpan time);

    protected abstract TimeProvider Clock { get; }

    protected static CancellationToken Token => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        foreach (var agent in _agents)
        {
            await agent.DisposeAsync();
            Assert.Equal(default, agent.Counts);
        }
        _shared.ForEach(arena => arena.Dispose());
        GC.SuppressFinalize(this);
    }

    /// <summary>Memory that other processes of this host can map, until all agents are disposed.</summary>
    protected SharedArena Share(int bytes)
    {
        var arena = new SharedArena(bytes);
        _shared.Add(arena);
        return arena;
    }

    protected async Task<(ITransferAgent Owner, ITransferAgent Reader, ITransferPeer Peer)> ConnectAsync(
        TransferLimits? reads = null, ISideChannelHandler? handler = null)
    {
        var owner = await StartAsync("owner", handler: handler);
        var reader = await StartAsync("reader", reads: reads);
        var (peer, outcome) = await reader.ConnectAsync(owner.Endpoint, Token);
        Assert.True(outcome.IsSuccess, outcome.ToString());
        return (owner, reader, peer!);
    }

    protected async Task<ITransferAgent> StartAsync(
        string engineId, string? endpoint = null, TransferLimits? reads = null, ISideChannelHandler? handler = null, KvDescription? kv = null)
    {
        var agent = await StartAsync(new TransferAgentOptions
        {
            EngineId = engineId,
            Handler = handler ?? RefusingHandler.Instance,
            Transfers = reads ?? new TransferLimits(),
            Kv = kv ?? KvDescription.None,
            Clock = Clock,
        }, endpoint);
        _agents.Add(agent);
        return agent;
    }

    /// <summary>Returns when the byte at <paramref name="offset"/> has come, or, where bytes come only with their segment, when any have left.</summary>
    protected virtual async Task BytesOnTheWayAsync(ITransferAgent owner, TestArena target, int offset, Task reading)
    {
        while (target.Bytes[offset] == 0 && !reading.IsCompleted)
        {
            await Task.Yield();
        }
    }

    protected static TransferDescriptor Descriptor(Lease lease, TestArena source, long offset, long bytes, TestArena target, long targetOffset) =>
        new(new RemoteRange(lease.Id, lease.Generation, source.Region.Id, offset, bytes), target.Region, targetOffset);
}
