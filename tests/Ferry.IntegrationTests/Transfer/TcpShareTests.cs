using Ferry.TestKit.Transfer;
using Ferry.Transfer;
using Ferry.Transfer.Tcp;

namespace Ferry.IntegrationTests.Transfer;

/// <summary>How a transfer is spread over the connections and threads of a peer.</summary>
public sealed class TcpShareTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Read_OfOneSegmentWhileBothConnectionsAreIdle_EachCarriesHalf()
    {
        const int Bytes = (1 << 20) + 12_345;
        await using var owner = await StartAsync("owner");
        await using var reader = await StartAsync("reader");
        await using var proxy = new WireProxy(owner.Endpoint);
        await using var peer = (await reader.ConnectAsync(proxy.Endpoint, Token)).Peer!;
        var source = new TestArena(owner, Bytes).Fill(1);
        var target = new TestArena(reader, Bytes);
        var lease = owner.Leases.TryGrant([source.All], TimeSpan.FromMinutes(5))!;

        var outcome = await peer.ReadAsync(new[] { Descriptor(lease, source, Bytes, target) }, Token);

        Assert.Equal(TransferOutcome.Success(TransferPhase.Verify, Bytes), outcome);
        Assert.True(source.Bytes.SequenceEqual(target.Bytes));
        Assert.All(proxy.ToReaderBytesByConnection.Take(2), carried => Assert.InRange(carried, (Bytes / 2) - 8192, (Bytes / 2) + 8192));
    }

    [Fact]
    public async Task Read_OfFewBytes_StaysOnOneConnection()
    {
        const int Bytes = 500_000;
        await using var owner = await StartAsync("owner");
        await using var reader = await StartAsync("reader");
        await using var proxy = new WireProxy(owner.Endpoint);
        await using var peer = (await reader.ConnectAsync(proxy.Endpoint, Token)).Peer!;
        var source = new TestArena(owner, Bytes).Fill(1);
        var target = new TestArena(reader, Bytes);
        var lease = owner.Leases.TryGrant([source.All], TimeSpan.FromMinutes(5))!;

        Assert.True((await peer.ReadAsync(new[] { Descriptor(lease, source, Bytes, target) }, Token)).IsSuccess);

        Assert.True(source.Bytes.SequenceEqual(target.Bytes));
        Assert.InRange(proxy.ToReaderBytesByConnection[0], Bytes, Bytes + 8192);
    }

    [Theory]
    [InlineData(64 << 10, 1, false)]
    [InlineData(512 << 10, 1, false)]
    [InlineData(1 << 20, 1, false)]
    [InlineData(1 << 20, 100, false)]
    [InlineData(1 << 20, 3, true)]
    [InlineData(5 << 20, 7, false)]
    public async Task Write_SocketTakesOnlyAPartAtOnce_TheRestFollowsInOrder(int bytes, int pieces, bool checksum)
    {
        await using var owner = await StartAsync("owner", checksum);
        await using var writer = await StartAsync("writer", checksum);
        await using var peer = (await writer.ConnectAsync(owner.Endpoint, Token)).Peer!;
        var target = new TestArena(owner, bytes);
        var source = new TestArena(writer, bytes).Fill(2);
        var lease = owner.Leases.TryGrant([target.All], TimeSpan.FromMinutes(5), rights: LeaseRights.Write)!;
        var cut = Enumerable.Range(0, pieces + 1).Select(piece => (int)((long)bytes * piece / pieces)).ToArray();

        for (var round = 0; round < 20; round++)
        {
            target.Bytes.Clear();
            var outcome = await peer.WriteAsync(
                Enumerable.Range(0, pieces).Select(piece => new TransferDescriptor(
                    new RemoteRange(lease.Id, lease.Generation, target.Region.Id, cut[piece], cut[piece + 1] - cut[piece]), source.Region, cut[piece])).Reverse().ToArray(), Token);
            Assert.Equal(TransferOutcome.Success(TransferPhase.Verify, bytes), outcome);
            Assert.True(source.Bytes.SequenceEqual(target.Bytes));
        }
    }

    [Fact]
    public async Task Write_ManyAtOnceFromOneThread_EachEndsAndBringsItsBytes()
    {
        const int Bytes = 64 << 10;
        const int Count = 64;
        await using var owner = await StartAsync("owner");
        await using var writer = await StartAsync("writer");
        await using var peer = (await writer.ConnectAsync(owner.Endpoint, Token)).Peer!;
        var target = new TestArena(owner, Bytes * Count);
        var source = new TestArena(writer, Bytes * Count).Fill(3);
        var lease = owner.Leases.TryGrant([target.All], TimeSpan.FromMinutes(5), rights: LeaseRights.Write)!;

        var outcomes = await Task.WhenAll(Enumerable.Range(0, Count).Select(index => peer.WriteAsync(
            new[] { new TransferDescriptor(new RemoteRange(lease.Id, lease.Generation, target.Region.Id, index * Bytes, Bytes), source.Region, index * Bytes) }, Token)));

        Assert.All(outcomes, outcome => Assert.True(outcome.IsSuccess, outcome.ToString()));
        Assert.True(source.Bytes.SequenceEqual(target.Bytes));
    }

    private static Task<TcpTransferAgent> StartAsync(string name, bool checksum = false) => TcpTransferAgent.StartAsync(
        new TcpAgentOptions { EngineId = name, Port = 0, SocketBufferBytes = 32 << 10, Transfers = new TransferLimits { Checksum = checksum } }, Token);

    private static TransferDescriptor Descriptor(Lease lease, TestArena source, int bytes, TestArena target) =>
        new(new RemoteRange(lease.Id, lease.Generation, source.Region.Id, 0, bytes), target.Region, 0);
}
