using Ferry.Kv.Hashing;
using Ferry.TestKit;
using Ferry.TestKit.Transfer;
using Ferry.Transfer;
using Ferry.Transfer.InProcess;
using Ferry.Transfer.SideChannel;
using Xunit;

namespace Ferry.UnitTests.Transfer;

/// <summary>An owner that keeps reusing its memory, readers that keep reading it, and a network that does its worst: from a seed.</summary>
public sealed class FaultSimulationTests
{
    private const int SlotBytes = 40_000;
    private const int SlotCount = 8;
    private const int PieceCount = 40;
    private const int PieceBytes = SlotBytes / PieceCount;

    private readonly SteppedClock _clock = new();

    [Theory]
    [MemberData(nameof(Seeds))]
    public async Task Reads_UnderEveryFault_NeverSucceedWithOtherBytes(int seed)
    {
        var plan = new FaultPlan(seed, new FaultRates { Drop = 0.01, Duplicate = 0.1, Corrupt = 0.02, Delay = 0.2 });
        var network = new InProcessNetwork(_clock, plan);
        var handler = new ScriptedHandler();
        var owner = InProcessTransferAgent.Start(network, "owner", Options("owner", seed) with { Handler = handler });
        var reader = InProcessTransferAgent.Start(network, "reader", Options("reader", seed + 1));
        var slots = new SlotOwner(owner, seed);
        handler.OnLocate = slots.Locate;
        using var done = new CancellationTokenSource();
        var pumping = PumpAsync(done.Token);
        var tally = new Dictionary<TransferError, int>();

        var readers = Enumerable.Range(0, 4).Select(i => ReadManyAsync(reader, slots, new Random(seed * 31 + i), tally)).ToArray();
        // A clock that stopped, by what a timer threw, would look like a read that never ends.
        await await Task.WhenAny(Task.WhenAll(readers), pumping).WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);
        await Task.WhenAll(readers).WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);

        await reader.DisposeAsync();
        await owner.DisposeAsync();
        await done.CancelAsync();
        await pumping;
        Assert.Equal(default, owner.Counts);
        Assert.Equal(default, reader.Counts);
        Assert.True(tally.GetValueOrDefault(TransferError.None) > 0, $"Seed {seed}: no read succeeded, so nothing was tested: {string.Join(", ", tally)}");
        Assert.True(tally.Count > 1, $"Seed {seed}: no fault bit.");
    }

    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 100)];

    [Fact]
    public async Task Partition_OfAnyKind_EndsTheReadAfterDeadAfterAndThenThePeer()
    {
        foreach (var cutOneWay in new[] { false, true })
        {
            var network = new InProcessNetwork(_clock);
            await using var owner = InProcessTransferAgent.Start(network, "owner", Options("owner", 1));
            await using var reader = InProcessTransferAgent.Start(network, "reader", Options("reader", 2));
            var peer = (await reader.ConnectAsync("owner", CancellationToken.None)).Peer!;
            var source = new TestArena(owner, 1000);
            var target = new TestArena(reader, 1000);
            var lease = owner.Leases.TryGrant([source.All], TimeSpan.FromMinutes(5))!;
            if (cutOneWay)
            {
                network.Faults.CutOneWay("owner", "reader"); // half-open: questions arrive, answers do not
            }
            else
            {
                network.Faults.Partition("owner", "reader");
            }
            var reading = peer.ReadAsync(
                new[] { new TransferDescriptor(new RemoteRange(lease.Id, lease.Generation, source.Region.Id, 0, 1000), target.Region, 0) }, CancellationToken.None);
            _clock.Advance(TimeSpan.FromSeconds(2.9));
            Assert.False(reading.IsCompleted);
            Assert.False(peer.Closed.IsCompleted);

            _clock.Advance(TimeSpan.FromSeconds(0.1));
            var outcome = await reading.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
            using var done = new CancellationTokenSource();
            var pumping = PumpAsync(done.Token);
            var closed = await peer.Closed;
            await done.CancelAsync();
            await pumping;

            Assert.Equal((TransferSide.Remote, TransferError.TimedOut), (outcome.Side, outcome.Error));
            Assert.Equal((TransferSide.Remote, TransferError.TimedOut), (closed.Side, closed.Error));
            network.Faults.Heal("owner", "reader");
            await using var again = (await reader.ConnectAsync("owner", CancellationToken.None)).Peer;
            Assert.NotNull(again);
        }
    }

    [Fact]
    public void FaultPlan_SameSeed_RepeatsTheSameFates()
    {
        var rates = new FaultRates { Drop = 0.3, Corrupt = 0.3, Delay = 0.3, Duplicate = 0.3 };
        var (one, other) = (new FaultPlan(5, rates), new FaultPlan(5, rates));
        for (var i = 0; i < 100; i++)
        {
            Assert.Equal(one.Next("a", "b"), other.Next("a", "b"));
        }
    }

    private TransferAgentOptions Options(string engineId, int seed) => new()
    {
        EngineId = engineId,
        Clock = _clock,
        Entropy = new SeededEntropy(seed),
        Transfers = new TransferLimits { SegmentBytes = SlotBytes / 2, Checksum = true },
    };

    // Time flies whenever nobody has anything else to do.
    private async Task PumpAsync(CancellationToken done)
    {
        while (!done.IsCancellationRequested)
        {
            for (var i = 0; i < 20; i++)
            {
                await Task.Yield();
            }
            _clock.Advance(TimeSpan.FromMilliseconds(20));
        }
    }

    private static async Task ReadManyAsync(InProcessTransferAgent reader, SlotOwner slots, Random random, Dictionary<TransferError, int> tally)
    {
        var target = new TestArena(reader, SlotBytes);
        ITransferPeer? peer = null;
        for (var round = 0; round < 40; round++)
        {
            if (peer is null || peer.Closed.IsCompleted)
            {
                peer = (await reader.ConnectAsync("owner", CancellationToken.None)).Peer;
                continue;
            }
            var slot = random.Next(SlotCount);
            var located = await peer.LocateAsync(new LocateRequest("", "", 0, [new ChunkHash([(byte)slot])]), CancellationToken.None);
            Count(located.Outcome.Error);
            if (located.Reply is not { } reply)
            {
                continue;
            }
            target.Bytes.Clear();
            // Every other piece first, so that pieces do not join: the owner's memory can change between any two.
            var pieces = Enumerable.Range(0, PieceCount).Select(i => (i * 2 % PieceCount + i * 2 / PieceCount) * PieceBytes).Select(offset =>
                new TransferDescriptor(reply.RangeOf(reply.Records[0]) with { Offset = reply.Records[0].Offset + offset, Bytes = PieceBytes }, target.Region, offset));
            var reading = peer.ReadAsync(pieces.ToArray(), CancellationToken.None);
            if (random.Next(3) == 0)
            {
                for (var turn = random.Next(PieceCount); turn > 0; turn--)
                {
                    await Task.Yield();
                }
                slots.Reuse(slot); // while it is being read
            }
            var outcome = await reading;
            Count(outcome.Error);
            if (outcome.IsSuccess)
            {
                // The slot's content at the time of the grant is told by the lease.
                Assert.False(target.Bytes.ContainsAnyExcept(slots.ContentOf(reply.LeaseId)));
            }
            await peer.ReleaseAsync(new ReleaseRequest("", reply.LeaseId, outcome.IsSuccess), CancellationToken.None);
        }

        void Count(TransferError error)
        {
            lock (tally)
            {
                tally[error] = tally.GetValueOrDefault(error) + 1;
            }
        }
    }

    /// <summary>Slots that hold one byte value each, another with every reuse.</summary>
    private sealed class SlotOwner
    {
        private readonly InProcessTransferAgent _agent;
        private readonly TestArena _arena;
        private readonly byte[] _contents = new byte[SlotCount];
        private readonly Dictionary<ulong, byte> _contentOfLease = [];
        private readonly List<ulong>[] _leases = [.. Enumerable.Range(0, SlotCount).Select(_ => new List<ulong>())];
        private readonly Random _random;

        public SlotOwner(InProcessTransferAgent agent, int seed)
        {
            _agent = agent;
            _random = new Random(seed);
            _arena = new TestArena(agent, SlotBytes * SlotCount);
            for (var slot = 0; slot < SlotCount; slot++)
            {
                Reuse(slot);
            }
        }

        public LocateReply Locate(PeerMetadata peer, LocateRequest request)
        {
            var slot = request.Chunks[0].ToArray()[0];
            lock (_random)
            {
                var duration = TimeSpan.FromMilliseconds(_random.Next(20, 2000));
                var lease = _agent.Leases.TryGrant([_arena.Range(slot * SlotBytes, SlotBytes)], duration, peer.Identity);
                if (lease is null)
                {
                    return LocateReply.Refused(TransferError.Overloaded, "full");
                }
                _leases[slot].Add(lease.Id);
                _contentOfLease[lease.Id] = _contents[slot];
                return LocateReply.Granted(lease, duration, [new LocatedRecord(0, 0, _arena.Region.Id, slot * SlotBytes, SlotBytes)]);
            }
        }

        public byte ContentOf(ulong leaseId)
        {
            lock (_random)
            {
                return _contentOfLease[leaseId];
            }
        }

        /// <summary>Revokes the slot's leases and overwrites it at once, without waiting for anyone.</summary>
        public void Reuse(int slot)
        {
            lock (_random)
            {
                foreach (var lease in _leases[slot])
                {
                    _agent.Leases.Revoke(lease);
                }
                _leases[slot].Clear();
                _contents[slot] = (byte)_random.Next(1, 256);
                _arena.Bytes.Slice(slot * SlotBytes, SlotBytes).Fill(_contents[slot]);
            }
        }
    }
}
