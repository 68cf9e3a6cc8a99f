using Ferry.Transfer;
using Ferry.Transfer.OneSided;
using Ferry.Transfer.Probe;
using Ferry.Transfer.SharedMemory;
using Ferry.Transfer.Tcp;

namespace Ferry.IntegrationTests.Transfer;

/// <summary>Memory that is mapped, and descriptions of memory that must not be believed.</summary>
public sealed class SharedMemoryTests
{
    private const int Bytes = 8 << 20;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task ReadAndWrite_BetweenMemfds_GoThroughAMappingThatEndsWithThePeer()
    {
        using var far = new ProbeArena(Bytes, ProbeMemory.Shared);
        using var near = new ProbeArena(Bytes, ProbeMemory.Shared);
        await using var owner = await StartAsync();
        await using var asker = await StartAsync();
        var farRegion = owner.Register(far.Address, Bytes, far.Backing);
        var nearRegion = asker.Register(near.Address, Bytes, near.Backing);
        new Random(1).NextBytes(far.Span(0, Bytes));
        var lease = owner.Leases.TryGrant([new LeaseRange(farRegion.Id, 0, Bytes)], TimeSpan.FromMinutes(1), rights: LeaseRights.Read | LeaseRights.Write)!;
        var peer = (await asker.ConnectAsync(owner.Endpoint, Token)).Peer!;
        Assert.Equal("shm", peer.Medium.Name);
        // One byte off on both sides: nothing here may depend on alignment.
        TransferDescriptor[] most = [new TransferDescriptor(new RemoteRange(lease.Id, lease.Generation, farRegion.Id, 1, Bytes - 1), nearRegion, 1)];

        Assert.True((await peer.ReadAsync(most, Token)).IsSuccess);
        Assert.True(far.Span(1, Bytes - 1).SequenceEqual(near.Span(1, Bytes - 1)));
        Assert.Equal(2, asker.Counts.NativeHandles); // the token and one mapping
        new Random(2).NextBytes(near.Span(0, Bytes));
        Assert.True((await peer.WriteAsync(most, Token)).IsSuccess);
        Assert.True(far.Span(1, Bytes - 1).SequenceEqual(near.Span(1, Bytes - 1)));
        Assert.Equal(2, owner.Counts.NativeHandles);

        await peer.DisposeAsync();
        Assert.Equal(1, asker.Counts.NativeHandles);
        await asker.DisposeAsync();
        Assert.Equal(default, asker.Counts);
        await owner.DisposeAsync();
        Assert.Equal(default, owner.Counts);
    }

    [Theory]
    [InlineData(ProbeMemory.Shared, 2)] // InPlaceReach.Mapped
    [InlineData(ProbeMemory.Private, 1)] // InPlaceReach.Copied
    public async Task ReadInPlace_LeaseRevokedWhileBytesAreRead_IsNoSuccess(ProbeMemory kind, int reach)
    {
        using var far = new ProbeArena(Bytes, kind);
        using var near = new ProbeArena(Bytes, ProbeMemory.Private);
        await using var owner = await StartAsync();
        await using var asker = await StartAsync();
        var farRegion = owner.Register(far.Address, Bytes, far.Backing);
        var nearRegion = asker.Register(near.Address, Bytes);
        new Random(1).NextBytes(far.Span(0, Bytes));
        await using var connected = (await asker.ConnectAsync(owner.Endpoint, Token)).Peer!;
        var peer = Assert.IsAssignableFrom<IInPlacePeer>(connected);
        var reached = await peer.ReachAsync(farRegion.Id, 0, Bytes, Token);
        Assert.Equal((InPlaceReach)reach, reached.Reach);
        Assert.False(reached.Failure.HasValue);

        Assert.True((await ReadAsync(Grant(), 0, Bytes / 2, revoke: false)).IsSuccess);
        Assert.True(far.Span(0, Bytes / 2).SequenceEqual(near.Span(0, Bytes / 2)));
        Assert.Equal(TransferError.LeaseRevoked, (await ReadAsync(Grant(), 0, Bytes / 2, revoke: true)).Error);
        near.Span(0, Bytes).Clear();
        Assert.Equal(TransferError.OutOfRange, (await ReadAsync(Grant(), Bytes / 2, 1, revoke: false)).Error); // not under the lease
        Assert.Equal(TransferError.LeaseUnknown, (await ReadAsync(new RemoteRange(77, owner.Identity.Generation, 0, 0, 0), 0, 1, revoke: false)).Error);
        Assert.False(near.Span(0, Bytes).ContainsAnyExcept((byte)0)); // what is not held is not read
        Assert.False(peer.Closed.IsCompleted);

        RemoteRange Grant()
        {
            var lease = owner.Leases.TryGrant([new LeaseRange(farRegion.Id, 0, Bytes / 2)], TimeSpan.FromMinutes(1))!;
            return new RemoteRange(lease.Id, lease.Generation, farRegion.Id, 0, 0);
        }

        Task<TransferOutcome> ReadAsync(RemoteRange lease, long offset, int bytes, bool revoke)
        {
            var held = new TransferDescriptor(lease with { RegionId = farRegion.Id, Offset = offset, Bytes = bytes }, nearRegion, 0);
            return peer.ReadInPlaceAsync(new[] { held }, kind == ProbeMemory.Shared
                ? new InPlaceRead(farRegion.Id, address =>
                {
                    CopyOut(address + (nint)offset, near.Span(0, bytes));
                    Assert.Equal(revoke, revoke && owner.Leases.Revoke(lease.LeaseId));
                }, null)
                : new InPlaceRead(farRegion.Id, null, async (memory, stopping) =>
                {
                    var error = await memory.ReadAsync([new TransferPiece(farRegion.Id, offset, bytes, nearRegion, 0)], stopping);
                    Assert.Equal(revoke, revoke && owner.Leases.Revoke(lease.LeaseId));
                    return error;
                }), Token);
        }

        static unsafe void CopyOut(nint source, Span<byte> target) => new ReadOnlySpan<byte>((byte*)source, target.Length).CopyTo(target);
    }

    [Fact]
    public async Task ReadInPlace_ReaderThatThrows_FailsTheTransferAndLeavesNobodyWaiting()
    {
        using var far = new ProbeArena(4096, ProbeMemory.Shared);
        using var near = new ProbeArena(4096, ProbeMemory.Private);
        await using var owner = await StartAsync();
        await using var asker = await StartAsync();
        var farRegion = owner.Register(far.Address, far.Bytes, far.Backing);
        var nearRegion = asker.Register(near.Address, near.Bytes);
        var lease = owner.Leases.TryGrant([new LeaseRange(farRegion.Id, 0, 4096)], TimeSpan.FromMinutes(1))!;
        await using var connected = (await asker.ConnectAsync(owner.Endpoint, Token)).Peer!;
        var peer = Assert.IsAssignableFrom<IInPlacePeer>(connected);
        var held = new[] { new TransferDescriptor(new RemoteRange(lease.Id, lease.Generation, farRegion.Id, 0, 4096), nearRegion, 0) };

        var outcome = await peer.ReadInPlaceAsync(held, new InPlaceRead(farRegion.Id, _ => throw new InvalidOperationException("it broke"), null), Token)
            .WaitAsync(TimeSpan.FromSeconds(30), Token);

        Assert.Equal((TransferError.MediumFailed, "it broke"), (outcome.Error, outcome.Message));
        await peer.Closed.WaitAsync(TimeSpan.FromSeconds(30), Token);
        await nearRegion.DisposeAsync(); // nothing holds it
    }

    [Fact]
    public async Task TryAddRegion_DescriptorThatIsNoSealedMemfd_IsRefusedWithoutTouchingIt()
    {
        await using var medium = new SharedMemoryMedium();
        using var file = new FileStream(Path.GetTempFileName(), FileMode.Open, FileAccess.ReadWrite, FileShare.None, 1, FileOptions.DeleteOnClose);
        file.SetLength(1 << 20);
        await using var memory = new SharedMemoryPeer(medium, Environment.ProcessId, "this test says so");
        foreach (var (descriptor, word) in new[] { ((int)file.SafeFileHandle.DangerousGetHandle(), "sealed"), (0x7FFFFFF, "cannot be opened") })
        {
            var error = memory.TryAddRegion(new RegionInfo(1, 0x1000, 4096, new SharedKey(descriptor, 0).Encode()));
            Assert.Contains(word, error, StringComparison.Ordinal);
        }
        using var arena = new SharedArena(4096);
        Assert.Contains("shorter", memory.TryAddRegion(new RegionInfo(1, 0x1000, 8192, new SharedKey(arena.Backing.Descriptor, 0).Encode())), StringComparison.Ordinal);
        Assert.Contains("malformed", memory.TryAddRegion(new RegionInfo(1, 0x1000, 4096, new byte[] { 1, 2, 3 })), StringComparison.Ordinal);
        Assert.Null(memory.TryAddRegion(new RegionInfo(1, 0x1000, 4096, new SharedKey(arena.Backing.Descriptor, 0).Encode())));
        Assert.NotNull(memory.TryAddRegion(new RegionInfo(1, 0x2000, 4096, new SharedKey(arena.Backing.Descriptor, 0).Encode())));
    }

    [Fact]
    public async Task Read_OfAddressesThatThePeerDoesNotHave_IsAnErrorAndNoCrash()
    {
        await using var medium = new SharedMemoryMedium();
        await using var agent = await StartAsync();
        using var near = new ProbeArena(1 << 20, ProbeMemory.Private);
        var region = agent.Register(near.Address, near.Bytes);
        await using var memory = new SharedMemoryPeer(medium, Environment.ProcessId, null);
        Assert.Null(memory.TryAddRegion(new RegionInfo(7, 0x10, 1 << 20, SharedKey.ProcessMemory.Encode())));

        Assert.Contains("process_vm_readv", await memory.ReadAsync([new TransferPiece(7, 0, 4096, region, 0)], Token), StringComparison.Ordinal);
        Assert.Contains("outside", await memory.ReadAsync([new TransferPiece(7, (1 << 20) - 1, 2, region, 0)], Token), StringComparison.Ordinal);
        Assert.Contains("outside", await memory.ReadAsync([new TransferPiece(8, 0, 1, region, 0)], Token), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Open_PeerOfAnotherHostOrProcess_SaysWhyNot()
    {
        await using var medium = new SharedMemoryMedium();
        var own = SharedAddress.Decode(medium.Describe(new AgentIdentity("x", 1))!)!;
        foreach (var (address, word) in new[]
        {
            (own with { BootId = own.BootId + 1 }, "another host"),
            (own with { ProcessSpace = own.ProcessSpace + 1 }, "PID namespace"),
        })
        {
            var opening = await medium.OpenAsync(new AgentIdentity("y", 2), address.Encode(), Token);
            Assert.Null(opening.Memory);
            Assert.Contains(word, opening.Reason, StringComparison.Ordinal);
        }
        var other = await medium.OpenAsync(new AgentIdentity("y", 2), (own with { Token = own.Token + 1 }).Encode(), Token);
        Assert.Contains("another process has that id", other.Reason, StringComparison.Ordinal);
        await other.Memory!.DisposeAsync();
        Assert.Contains("malformed", (await medium.OpenAsync(new AgentIdentity("y", 2), new byte[5], Token)).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Connect_OneSideWithoutTheMedium_FallsBackToTcpAndSaysSoOrIsRefused()
    {
        await using var plain = await TcpTransferAgent.StartAsync(new TcpAgentOptions { EngineId = "plain", Port = 0 }, Token);
        await using var open = await TcpTransferAgent.StartAsync(new TcpAgentOptions { EngineId = "open", Port = 0, Media = [new SharedMemoryMedium()] }, Token);
        await using var strict = await StartAsync();

        await using var fallen = (await open.ConnectAsync(plain.Endpoint, Token)).Peer!;
        Assert.Equal("tcp", fallen.Medium.Name);
        Assert.Contains("does not offer it", fallen.Medium.Reason, StringComparison.Ordinal);
        var refused = (await strict.ConnectAsync(plain.Endpoint, Token)).Outcome;
        Assert.Equal((TransferPhase.Connect, TransferSide.Local, TransferError.Unreachable), (refused.Phase, refused.Side, refused.Error));
        Assert.Contains("Add tcp to UCX_TLS", refused.Message, StringComparison.Ordinal);
        Assert.Equal(0, strict.Counts.Connections);
    }

    [Fact]
    public async Task Read_OverTcpFromAnAgentThatForbidsIt_IsRefused()
    {
        await using var strict = await StartAsync();
        await using var plain = await TcpTransferAgent.StartAsync(new TcpAgentOptions { EngineId = "plain", Port = 0 }, Token);
        using var far = new ProbeArena(4096, ProbeMemory.Private);
        using var near = new ProbeArena(4096, ProbeMemory.Private);
        var farRegion = strict.Register(far.Address, far.Bytes);
        var nearRegion = plain.Register(near.Address, near.Bytes);
        var lease = strict.Leases.TryGrant([new LeaseRange(farRegion.Id, 0, 4096)], TimeSpan.FromMinutes(1), rights: LeaseRights.Read | LeaseRights.Write)!;
        await using var peer = (await plain.ConnectAsync(strict.Endpoint, Token)).Peer!;
        TransferDescriptor[] whole = [new TransferDescriptor(new RemoteRange(lease.Id, lease.Generation, farRegion.Id, 0, 4096), nearRegion, 0)];

        Assert.Equal(TransferError.Refused, (await peer.ReadAsync(whole, Token)).Error);
        Assert.Equal(TransferError.Refused, (await peer.WriteAsync(whole, Token)).Error);
        Assert.False(peer.Closed.IsCompleted);
    }

    private static Task<TcpTransferAgent> StartAsync() => TcpTransferAgent.StartAsync(
        new TcpAgentOptions { EngineId = "agent", Port = 0, Media = [new SharedMemoryMedium()], AllowBytesOverTcp = false }, Token);
}
