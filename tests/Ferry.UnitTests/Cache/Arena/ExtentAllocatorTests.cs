using CsCheck;
using Ferry.Cache.Arena;
using Xunit;

namespace Ferry.UnitTests.Cache.Arena;

public sealed class ExtentAllocatorTests
{
    [Fact]
    public void TryAllocate_AnySequence_AgreesWithAListOfRanges() =>
        Gen.Select(Gen.Int[1, 5000], Gen.Select(Gen.Bool, Gen.Int[1, 400], Gen.Int[0, 1000]).Array[1, 300]).Sample((unitCount, steps) =>
        {
            var allocator = new ExtentAllocator(unitCount);
            var held = new List<(ExtentHandle Handle, int First, int Units)>();
            foreach (var (allocate, units, pick) in steps)
            {
                if (allocate || held.Count == 0)
                {
                    if (allocator.TryAllocate(units, out var handle, out var first))
                    {
                        Assert.True(first >= 0 && first + units <= unitCount);
                        Assert.DoesNotContain(held, other => first < other.First + other.Units && other.First < first + units);
                        held.Add((handle, first, units));
                    }
                    else
                    {
                        // Refusing is right only if no free gap is certain to fit: TLSF may pass over a gap of the request's own class.
                        Assert.True(LargestGap(held, unitCount) < 2 * units, "refused although a gap of twice the size was free");
                    }
                }
                else
                {
                    var index = pick % held.Count;
                    allocator.Free(held[index].Handle);
                    held.RemoveAt(index);
                }
                allocator.CheckIntegrity();
                Assert.Equal(unitCount - held.Sum(extent => (long)extent.Units), allocator.FreeUnits);
            }
            held.ForEach(extent => allocator.Free(extent.Handle));
            Assert.True(allocator.TryAllocate(unitCount, out _, out _), "everything was freed, but the range is not one extent again");
        }, iter: 300);

    [Theory]
    [InlineData(33)]
    [InlineData(1000)]
    [InlineData(5121)]
    public void TryAllocate_FullOfEqualExtentsAndOneFreed_ReusesIt(int units)
    {
        var allocator = new ExtentAllocator(units * 50L);
        var handles = new List<ExtentHandle>();
        while (allocator.TryAllocate(units, out var handle, out _))
        {
            handles.Add(handle);
        }
        Assert.Equal(50, handles.Count);

        for (var round = 0; round < 200; round++)
        {
            var index = round * 7 % 50;
            allocator.Free(handles[index]);
            Assert.True(allocator.TryAllocate(units, out var handle, out _));
            handles[index] = handle;
        }
        Assert.Equal(0, allocator.FreeUnits);
    }

    [Fact]
    public void Free_Twice_Throws()
    {
        var allocator = new ExtentAllocator(100);
        allocator.TryAllocate(10, out var handle, out _);
        allocator.Free(handle);

        Assert.Throws<InvalidOperationException>(() => allocator.Free(handle));
        allocator.TryAllocate(10, out _, out _);
        Assert.Throws<InvalidOperationException>(() => allocator.Free(handle));
        allocator.CheckIntegrity();
    }

    [Fact]
    public void TryAllocate_ExtentsOfManySizesForLong_LeavesNoFragmentsBehind()
    {
        var random = new Random(7);
        var allocator = new ExtentAllocator(1 << 16);
        var held = new Queue<ExtentHandle>();
        for (var step = 0; step < 20_000; step++)
        {
            while (!allocator.TryAllocate(random.Next(1, 2000), out var handle, out _) || Keep(held, handle))
            {
                allocator.Free(held.Dequeue());
            }
        }
        allocator.CheckIntegrity();
        while (held.TryDequeue(out var handle))
        {
            allocator.Free(handle);
        }
        Assert.True(allocator.TryAllocate(1 << 16, out _, out _));
    }

    [Fact]
    public void LongRandomLife_NearlyFull_DoesNotFragmentMoreAsItAges()
    {
        // Sizes of a fleet: some fixed shard sizes, and short last chunks of any length.
        var random = new Random(5);
        const int Units = 1 << 18;
        var allocator = new ExtentAllocator(Units);
        var held = new List<ExtentHandle>();
        var refusedWithRoom = new List<long>();
        for (var epoch = 0; epoch < 10; epoch++)
        {
            var refused = 0L;
            for (var step = 0; step < 40_000; step++)
            {
                var size = random.Next(4) switch { 0 => 160, 1 => 320, 2 => 1280, _ => random.Next(2, 320) };
                ExtentHandle handle;
                while (!allocator.TryAllocate(size, out handle, out _))
                {
                    refused += allocator.FreeUnits >= size ? 1 : 0; // Room enough, but in pieces.
                    var victim = random.Next(held.Count);
                    allocator.Free(held[victim]);
                    held[victim] = held[^1];
                    held.RemoveAt(held.Count - 1);
                }
                held.Add(handle);
            }
            allocator.CheckIntegrity();
            refusedWithRoom.Add(refused);
            Assert.True(allocator.FreeUnits < Units / 10, $"epoch {epoch}: {allocator.FreeUnits} of {Units} units lie idle");
        }
        Assert.True(refusedWithRoom[^1] < 1.2 * refusedWithRoom[1], $"refusals for want of a piece grow: {string.Join(", ", refusedWithRoom)}");
        held.ForEach(allocator.Free);
        Assert.True(allocator.TryAllocate(Units, out _, out _));
    }

    private static bool Keep(Queue<ExtentHandle> held, ExtentHandle handle)
    {
        held.Enqueue(handle);
        return false;
    }

    private static int LargestGap(List<(ExtentHandle Handle, int First, int Units)> held, int unitCount)
    {
        var (largest, end) = (0, 0);
        foreach (var (_, first, units) in held.OrderBy(extent => extent.First))
        {
            (largest, end) = (Math.Max(largest, first - end), first + units);
        }
        return Math.Max(largest, unitCount - end);
    }
}
