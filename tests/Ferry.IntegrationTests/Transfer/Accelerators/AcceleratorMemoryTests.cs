using Ferry.TestKit.Transfer;
using Ferry.Transfer;
using Ferry.Transfer.SideChannel;
using Ferry.Transfer.Tcp;
using Ferry.Transfer.Ucx;
using Microsoft.Extensions.Logging.Abstractions;

namespace Ferry.IntegrationTests.Transfer.Accelerators;

/// <summary>UCX moves an accelerator's memory under Ferry's leases. Runs where a HIP or CUDA runtime is, and a UCX that was built for it (FERRY_UCX_LIB).</summary>
public sealed class AcceleratorMemoryTests : IAsyncLifetime
{
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(5);

    private readonly List<ITransferAgent> _agents = [];
    private readonly List<nint> _allocated = [];
    private AcceleratorRuntime? _runtime;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync()
    {
        _runtime = AcceleratorRuntime.TryLoad();
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var agent in _agents)
        {
            await agent.DisposeAsync();
            Assert.Equal(default, agent.Counts);
        }
        _allocated.ForEach(address => _runtime!.Free(address));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(65_536)]
    [InlineData((20 << 20) + 3)]
    public async Task ReadAndWrite_BetweenAcceleratorAndHostMemory_BringEveryByte(int bytes)
    {
        var (owner, asker, peer) = await ConnectAsync();
        var (farAddress, far) = Allocate(owner, bytes);
        var (nearAddress, near) = Allocate(asker, bytes);
        var host = new TestArena(asker, bytes);
        var content = new byte[bytes];
        new Random(bytes).NextBytes(content);
        _runtime!.Put(content, farAddress);
        var reading = owner.Leases.TryGrant([new LeaseRange(far.Id, 0, bytes)], Long)!;
        var writing = owner.Leases.TryGrant([new LeaseRange(far.Id, 0, bytes)], Long, rights: LeaseRights.Write)!;

        Assert.Equal(_runtime.MemoryType, far.MemoryType);
        AssertMoved(await peer.ReadAsync(Whole(reading, host.Region), Token));
        Assert.True(host.Bytes.SequenceEqual(content));
        AssertMoved(await peer.ReadAsync(Whole(reading, near), Token));
        Assert.Equal(content, _runtime.Get(nearAddress, bytes));

        new Random(bytes + 1).NextBytes(content);
        _runtime.Put(content, nearAddress);
        AssertMoved(await peer.WriteAsync(Whole(writing, near), Token));
        Assert.Equal(content, _runtime.Get(farAddress, bytes));
        content.AsSpan().Reverse();
        content.CopyTo(host.Bytes);
        AssertMoved(await peer.WriteAsync(Whole(writing, host.Region), Token));
        Assert.Equal(content, _runtime.Get(farAddress, bytes));
    }

    [Fact]
    public async Task Read_UnderALeaseThatHasEnded_IsRefused()
    {
        var (owner, asker, peer) = await ConnectAsync();
        var (_, far) = Allocate(owner, 65_536);
        var (nearAddress, near) = Allocate(asker, 65_536);
        _runtime!.Put(new byte[65_536], nearAddress);
        var lease = owner.Leases.TryGrant([new LeaseRange(far.Id, 0, 65_536)], Long)!;
        owner.Leases.Revoke(lease.Id);

        Assert.Equal(TransferError.LeaseUnknown, (await peer.ReadAsync(Whole(lease, near), Token)).Error);
        Assert.False(_runtime.Get(nearAddress, 65_536).AsSpan().ContainsAnyExcept((byte)0));
    }

    [Fact]
    public async Task Read_WithAChecksum_SaysThatTheCpuCannot()
    {
        var (owner, asker, peer) = await ConnectAsync(new TransferLimits { Checksum = true });
        var (_, far) = Allocate(owner, 4096);
        var host = new TestArena(asker, 4096);
        var lease = owner.Leases.TryGrant([new LeaseRange(far.Id, 0, 4096)], Long)!;
        Assert.Equal(TransferError.AcceleratorMemory, (await peer.ReadAsync(Whole(lease, host.Region), Token)).Error);
    }

    private static void AssertMoved(TransferOutcome outcome) => Assert.True(outcome.IsSuccess, outcome.ToString());

    private static TransferDescriptor[] Whole(Lease lease, MemoryRegion local) =>
        [new TransferDescriptor(new RemoteRange(lease.Id, lease.Generation, lease.Ranges[0].RegionId, 0, local.Bytes), local, 0)];

    private (nint Address, MemoryRegion Region) Allocate(ITransferAgent agent, int bytes)
    {
        var address = _runtime!.Allocate(bytes);
        _allocated.Add(address);
        return (address, agent.Register(address, bytes));
    }

    private async Task<(ITransferAgent Owner, ITransferAgent Asker, ITransferPeer Peer)> ConnectAsync(TransferLimits? transfers = null)
    {
        Assert.SkipWhen(_runtime is null, AcceleratorRuntime.Missing);
        var owner = await StartAsync("owner", new TransferLimits());
        var asker = await StartAsync("asker", transfers ?? new TransferLimits());
        var (peer, outcome) = await asker.ConnectAsync(owner.Endpoint, Token);
        Assert.True(outcome.IsSuccess, outcome.ToString());
        Assert.Equal("ucx", peer!.Medium.Name);
        return (owner, asker, peer);
    }

    private async Task<ITransferAgent> StartAsync(string engineId, TransferLimits transfers)
    {
        var ucx = await UcxMedium.StartAsync(new UcxOptions { Transports = $"tcp,{_runtime!.MemoryType}" }, NullLogger.Instance);
        if (!ucx.Resources.Any(resource => resource.StartsWith(_runtime.MemoryType, StringComparison.Ordinal)))
        {
            await ucx.DisposeAsync();
            Assert.Skip($"This UCX has no {_runtime.MemoryType} transport, only {string.Join(", ", ucx.Resources)}; FERRY_UCX_LIB names another.");
        }
        var agent = await TcpTransferAgent.StartAsync(
            new TcpAgentOptions { EngineId = engineId, Handler = RefusingHandler.Instance, Transfers = transfers, Media = [ucx], Port = 0 }, Token);
        _agents.Add(agent);
        return agent;
    }
}
