using Ferry.Router.Hosting;
using Xunit;

namespace Ferry.UnitTests.Router.Hosting;

public sealed class ConnectionMemoryTests
{
    [Fact]
    public void Rent_AfterTwoCameBack_GivesTheLastOneFirst()
    {
        using var memory = new ConnectionMemory();
        var (first, second) = (memory.Rent(), memory.Rent());
        Assert.NotSame(first, second);
        first.Dispose();
        second.Dispose();
        Assert.Same(second, memory.Rent());
        Assert.Same(first, memory.Rent());
    }

    [Fact]
    public void Dispose_Twice_GivesABlockBackOnce()
    {
        using var memory = new ConnectionMemory();
        var block = memory.Rent();
        block.Dispose();
        block.Dispose();
        Assert.NotSame(memory.Rent(), memory.Rent());
    }

    [Fact]
    public void Rent_MoreThanABlock_IsRefused()
    {
        using var memory = new ConnectionMemory();
        Assert.Equal(memory.MaxBufferSize, memory.Rent(memory.MaxBufferSize).Memory.Length);
        Assert.Throws<ArgumentOutOfRangeException>(() => memory.Rent(memory.MaxBufferSize + 1));
    }
}
