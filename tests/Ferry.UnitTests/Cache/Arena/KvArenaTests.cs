using System.Runtime.InteropServices;
using Ferry.Cache.Arena;
using Xunit;

namespace Ferry.UnitTests.Cache.Arena;

public sealed class KvArenaTests
{
    private static KvArena Arena(long capacityBytes, int alignmentBytes = 64) =>
        new(new KvArenaOptions { CapacityBytes = capacityBytes, AlignmentBytes = alignmentBytes, TryHugePages = false });

    [Theory]
    [InlineData(64)]
    [InlineData(4096)]
    public void TryAllocate_Slots_AreAlignedAndDisjointAndCounted(int alignmentBytes)
    {
        using var arena = Arena(alignmentBytes * 64L, alignmentBytes);
        var slots = Enumerable.Range(1, 8).Select(index =>
        {
            Assert.True(arena.TryAllocate(index * 100, out var handle, out var offset));
            return (Handle: handle, Offset: offset, Bytes: index * 100);
        }).ToArray();

        Assert.All(slots, slot => Assert.Equal(0, (arena.BaseAddress + slot.Offset) % alignmentBytes));
        for (var index = 0; index < slots.Length; index++)
        {
            arena.SpanOf(slots[index].Offset, slots[index].Bytes).Fill((byte)index);
        }
        for (var index = 0; index < slots.Length; index++)
        {
            Assert.False(arena.SpanOf(slots[index].Offset, slots[index].Bytes).ContainsAnyExcept((byte)index));
        }
        Assert.Equal(slots.Sum(slot => arena.SlotBytes(slot.Bytes)), arena.UsedBytes);
        Array.ForEach(slots, slot => arena.Free(slot.Handle));
        Assert.Equal(0, arena.UsedBytes);
        arena.CheckIntegrity();
    }

    [Fact]
    public unsafe void Arena_OnMemoryThatIsProvided_UsesItAndGivesItBackAfterTheLastSlot()
    {
        var memory = NativeMemory.AlignedAlloc(8192, 4096);
        var owner = new Owner();
        var arena = new KvArena(new KvArenaOptions { CapacityBytes = 8192 }, bytes => new ArenaMemory((nint)memory, bytes == 8192 ? owner : null!));
        Assert.True(arena.TryAllocate(100, out var slot, out var offset));
        Assert.Equal((nint)memory, arena.BaseAddress);
        arena.SpanOf(offset, 100).Fill(7);
        Assert.Equal(7, ((byte*)memory)[offset + 99]);

        arena.Dispose();
        Assert.Equal(0, owner.Disposals);
        arena.Free(slot);

        Assert.Equal(1, owner.Disposals);
        NativeMemory.AlignedFree(memory);
    }

    [Fact]
    public unsafe void Arena_OnMemoryThatIsNotAligned_GivesItBackAndTakesItsOwn()
    {
        var memory = NativeMemory.AlignedAlloc(3 * 4096, 4096);
        var owner = new Owner();

        using var arena = new KvArena(new KvArenaOptions { CapacityBytes = 8192 }, _ => new ArenaMemory((nint)memory + 64, owner));

        Assert.Equal(1, owner.Disposals);
        Assert.NotEqual((nint)memory + 64, arena.BaseAddress);
        NativeMemory.AlignedFree(memory);
    }

    [Fact]
    public void TryAllocate_BeyondTheCap_IsRefusedAtOnce()
    {
        using var arena = Arena(4096);
        Assert.True(arena.TryAllocate(4096, out var all, out _));

        Assert.False(arena.TryAllocate(1, out _, out _));
        arena.Free(all);
        Assert.False(arena.TryAllocate(4097, out _, out _));
        Assert.True(arena.TryAllocate(4096, out all, out _));
        arena.Free(all);
    }

    [Fact]
    public void Free_Twice_ThrowsAndLeavesTheBooksRight()
    {
        using var arena = Arena(4096);
        arena.TryAllocate(100, out var slot, out _);
        arena.Free(slot);

        Assert.Throws<InvalidOperationException>(() => arena.Free(slot));
        arena.CheckIntegrity();
        Assert.Equal(0, arena.SlotCount);
    }

    [Fact]
    public void Dispose_WithASlotHeld_KeepsItsMemoryAndRefusesNewSlots()
    {
        var arena = Arena(4096);
        arena.TryAllocate(100, out var slot, out var offset);
        arena.SpanOf(offset, 100).Fill(7);
        arena.Dispose();

        Assert.False(arena.SpanOf(offset, 100).ContainsAnyExcept((byte)7));
        Assert.Throws<ObjectDisposedException>(() => arena.TryAllocate(1, out _, out _));
        Assert.NotEqual(0, arena.BaseAddress);
        arena.Free(slot);
        Assert.Equal(0, arena.BaseAddress);
    }

    [Fact]
    public void HugePages_LargeArena_AreReportedEitherWay()
    {
        using var arena = new KvArena(new KvArenaOptions { CapacityBytes = 8 << 20 });

        Assert.Equal(OperatingSystem.IsLinux(), arena.HugePages != HugePages.NotTried);
        Assert.Equal(0, arena.BaseAddress % (2 << 20));
    }

    [Theory]
    [InlineData(1 << 20, 63, "alignmentBytes is 63")]
    [InlineData(1 << 20, 96, "alignmentBytes is 96")]
    [InlineData(4095, 4096, "capacityBytes is 4095")]
    [InlineData(long.MaxValue, 64, "alignmentBytes, or lower it")]
    public void Constructor_OptionsOutOfBounds_NamesValueAndWayOut(long capacityBytes, int alignmentBytes, string named)
    {
        var error = Assert.Throws<ArgumentException>(() => Arena(capacityBytes, alignmentBytes));
        Assert.Contains(named, error.Message);
    }

    private sealed class Owner : IDisposable
    {
        public int Disposals { get; private set; }

        public void Dispose() => Disposals++;
    }
}
