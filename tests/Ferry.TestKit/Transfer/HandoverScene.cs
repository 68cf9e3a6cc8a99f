using Ferry.Kv.Layout;
using Ferry.Transfer;
using Ferry.Transfer.Handover;
using Ferry.Transfer.SharedMemory;
using Ferry.Transfer.SideChannel;

namespace Ferry.TestKit.Transfer;

/// <summary>An owner with a sequence in the blocks of all its ranks, and what a reader needs of it.</summary>
public sealed class HandoverScene
{
    public const string RequestId = "cmpl-1-0-abcdef01";

    private HandoverScene(HandoverDesk desk, ITransferAgent owner, TestPool[] pools, int[][] tables, int tokens)
    {
        Desk = desk;
        Owner = owner;
        Pools = pools;
        Tables = tables;
        Tokens = tokens;
    }

    public HandoverDesk Desk { get; }

    public ITransferAgent Owner { get; }

    public IReadOnlyList<TestPool> Pools { get; }

    public IReadOnlyList<int[]> Tables { get; }

    public int Tokens { get; }

    /// <summary>What an agent with these pools says in the handshake.</summary>
    public static KvDescription Describe(IEnumerable<KvLayout> pools) => new(7, 256, "sha256_cbor", [.. pools.Select(pool => pool.ToString())]);

    /// <summary>Fills the pools of an owner that was started with <see cref="Describe"/> and the desk.</summary>
    /// <param name="tables">One a rank, or one for all.</param>
    /// <param name="share">As <see cref="TestPool"/> takes it.</param>
    public static HandoverScene Open(
        HandoverDesk desk, ITransferAgent owner, IReadOnlyList<KvLayout> layouts, int[][] tables, int tokens, int seed, Func<int, SharedArena?>? share = null)
    {
        TestPool[] pools = [.. layouts.Select((layout, rank) => new TestPool(owner, layout, rank + 1, share))];
        for (var rank = 0; rank < pools.Length; rank++)
        {
            pools[rank].Write(seed, tables[Math.Min(rank, tables.Length - 1)], tokens);
        }
        desk.Open(owner, [.. pools.Select(pool => pool.Pool)]);
        return new HandoverScene(desk, owner, pools, tables, tokens);
    }

    public TransferOutcome Offer(TimeSpan duration, int readers = 1, Action<LeaseEnd>? ended = null) =>
        Desk.Offer(RequestId, [.. Tables.Select(table => (ReadOnlyMemory<int>)table)], Tokens, duration, readers, ended);

    /// <summary>Blocks of a sequence in a pool of more: in order, or scattered by the seed.</summary>
    public static int[] Blocks(int needed, int poolBlocks, bool scattered, int seed)
    {
        var all = Enumerable.Range(0, poolBlocks).ToArray();
        if (!scattered)
        {
            return all[(poolBlocks - needed)..];
        }
        new Random(seed).Shuffle(all);
        return all[..needed];
    }
}
