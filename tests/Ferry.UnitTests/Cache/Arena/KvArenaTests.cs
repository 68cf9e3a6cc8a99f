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
        var slots = Enumerable.Range(1, 8).Select(index => arena.TryAllocate(index * 100)!).ToArray();

        Assert.All(slots, slot => Assert.Equal(0, (arena.BaseAddress + slot.Offset) % alignmentBytes));
        for (var index = 0; index < slots.Length; index++)
        {
            slots[index].GetSpan().Fill((byte)index);
        }
        for (var index = 0; index < slots.Length; index++)
        {
            Assert.False(slots[index].GetSpan().ContainsAnyExcept((byte)index));
        }
        Assert.Equal(slots.Sum(slot => (slot.ByteCount + alignmentBytes - 1) / alignmentBytes * (long)alignmentBytes), arena.UsedBytes);
        Array.ForEach(slots, slot => slot.Release());
        Assert.Equal(0, arena.UsedBytes);
        arena.CheckIntegrity();
    }

    [Fact]
    public void TryAllocate_BeyondTheCap_IsNullAtOnce()
    {
        using var arena = Arena(4096);
        var all = arena.TryAllocate(4096);

        Assert.NotNull(all);
        Assert.Null(arena.TryAllocate(1));
        all.Release();
        Assert.Null(arena.TryAllocate(4097));
        arena.TryAllocate(4096)!.Release();
    }

    [Fact]
    public void Memory_OfASlotThatIsGone_Throws()
    {
        using var arena = Arena(4096);
        var slot = arena.TryAllocate(100)!;
        var memory = slot.Memory;
        slot.Release();

        Assert.Throws<ObjectDisposedException>(() => memory.Span.Clear());
        Assert.Throws<ObjectDisposedException>(() => memory.Pin());
        Assert.False(slot.TryAddReference());
    }

    [Fact]
    public void Release_OnceTooOften_ThrowsAndLeavesTheBooksRight()
    {
        using var arena = Arena(4096);
        var slot = arena.TryAllocate(100)!;
        slot.Release();

        Assert.Throws<InvalidOperationException>(() => slot.Release());
        arena.CheckIntegrity();
        Assert.Equal(0, arena.SlotCount);
    }

    [Fact]
    public void Pin_AfterTheLastRelease_KeepsTheSlotUntilUnpinned()
    {
        using var arena = Arena(4096);
        var slot = arena.TryAllocate(4096)!;
        var pin = slot.Memory.Pin();
        slot.Release();

        Assert.Null(arena.TryAllocate(64));
        pin.Dispose();
        arena.TryAllocate(64)!.Release();
    }

    [Fact]
    public void Dispose_WithASlotHeld_KeepsItsMemoryAndRefusesNewSlots()
    {
        var arena = Arena(4096);
        var slot = arena.TryAllocate(100)!;
        slot.GetSpan().Fill(7);
        arena.Dispose();

        Assert.False(slot.GetSpan().ContainsAnyExcept((byte)7));
        Assert.Throws<ObjectDisposedException>(() => arena.TryAllocate(1));
        Assert.NotEqual(0, arena.BaseAddress);
        slot.Release();
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
}
