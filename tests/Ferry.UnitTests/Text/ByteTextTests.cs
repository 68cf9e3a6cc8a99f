using Ferry.Kv.Text;
using Xunit;

namespace Ferry.UnitTests.Text;

public sealed class ByteTextTests
{
    [Fact]
    public void Equals_SameBytesFromOtherMemory_AreEqualAndHashAlike()
    {
        var (left, right) = (new ByteText("key@1"u8), new ByteText("key@1"u8.ToArray()));
        Assert.True(left == right);
        Assert.Equal(left.GetHashCode(), right.GetHashCode());
        Assert.True(left != new ByteText("key@2"u8));
        Assert.Equal(default, new ByteText([]));
    }

    [Fact]
    public void ToString_BytesThatATerminalWouldObey_AreEscaped() =>
        Assert.Equal(@"a@b \x1b[2J\x5c\xff", new ByteText([.. "a@b "u8, 0x1B, .. "[2J\\"u8, 0xFF]).ToString());
}
