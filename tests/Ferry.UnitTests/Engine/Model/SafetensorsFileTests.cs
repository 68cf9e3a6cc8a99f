using System.Text;
using Ferry.Engine.Model;
using Ferry.TestKit.Models;
using Xunit;

namespace Ferry.UnitTests.Engine.Model;

public sealed class SafetensorsFileTests : IDisposable
{
    private const string Good = """{"a":{"dtype":"BF16","shape":[2,3],"data_offsets":[0,12]},"b":{"dtype":"F32","shape":[],"data_offsets":[12,16]}}""";

    private readonly string _directory = Directory.CreateTempSubdirectory("ferry-safetensors-").FullName;

    private string FilePath => Path.Combine(_directory, "x.safetensors");

    public static TheoryData<string, string> HostileHeaders => new()
    {
        { """{"a":{"dtype":"BF16","shape":[2,3],"data_offsets":[0,20]}}""", "lies at 0..20 of the data, which has 16 bytes" },
        { """{"a":{"dtype":"BF16","shape":[2,3],"data_offsets":[8,4]}}""", "lies at 8..4" },
        { """{"a":{"dtype":"BF16","shape":[2,3],"data_offsets":[-4,8]}}""", "has -4 in data_offsets" },
        { """{"a":{"dtype":"BF16","shape":[2,3],"data_offsets":[0,1e3]}}""", "has 1e3 in data_offsets" },
        { """{"a":{"dtype":"BF16","shape":[2,3],"data_offsets":[0,99999999999999999999]}}""", "in data_offsets" },
        { """{"a":{"dtype":"BF16","shape":[2,4],"data_offsets":[0,12]}}""", "needs 16 bytes, but has 12" },
        { """{"a":{"dtype":"F32","shape":[2,3],"data_offsets":[0,12]}}""", "needs 24 bytes, but has 12" },
        { """{"a":{"dtype":"BF16","shape":[4294967296,4294967296],"data_offsets":[0,0]}}""", "bytes, but has 0" },
        { """{"a":{"dtype":"BF16","shape":[9223372036854775807,9223372036854775807,8],"data_offsets":[0,16]}}""", "bytes, but has 16" },
        { """{"a":{"dtype":"BF16","shape":[-1,3],"data_offsets":[0,12]}}""", "has -1 in shape" },
        { """{"a":{"dtype":"BF16","shape":[1,1,1,1,1,1,1,1,6],"data_offsets":[0,12]}}""", "has 9 dimensions; at most 8" },
        { """{"a":{"dtype":"Q4_K","shape":[6],"data_offsets":[0,12]}}""", "unknown type Q4_K" },
        { """{"a":{"dtype":"BF16","shape":[6],"data_offsets":[0,12]},"b":{"dtype":"BF16","shape":[3],"data_offsets":[10,16]}}""", "a and b lie over the same bytes" },
        { """{"a":{"dtype":"BF16","shape":[6],"data_offsets":[0,12]},"a":{"dtype":"BF16","shape":[6],"data_offsets":[0,12]}}""", "the header is not valid" },
        { """{"a":{"shape":[6],"data_offsets":[0,12]}}""", "must have dtype" },
        { """{"a":{"dtype":"BF16","shape":[6],"data_offsets":[0]}}""", "must have dtype" },
        { """{"a":5}""", "must have dtype" },
        { """[1,2]""", "a JSON Array; an object is needed" },
        { """{"a":""", "the header is not valid" },
        { "not json", "the header is not valid" },
        { """{"a":{"dtype":{"x":{"y":{"z":{}}}}}}""", "the header is not valid" },
    };

    [Fact]
    public void Open_AValidFile_GivesShapesAndBytes()
    {
        SafetensorsWriter.WriteRaw(FilePath, Good, [.. Enumerable.Range(0, 16).Select(value => (byte)value)]);

        using var file = SafetensorsFile.Open(FilePath);

        Assert.Equal(["a", "b"], file.Tensors.Keys.Order());
        Assert.Equal([2L, 3L], file.Tensors["a"].Shape);
        Assert.Equal([2, 3, 4], file.Bytes(file.Tensors["a"], 2, 3).ToArray());
        Assert.Equal([12, 13, 14, 15], file.Bytes(file.Tensors["b"], 0, 4).ToArray());
        Assert.Throws<ArgumentOutOfRangeException>(() => file.Bytes(file.Tensors["a"], 10, 3).Length);
    }

    [Theory]
    [MemberData(nameof(HostileHeaders))]
    public void Open_AHostileHeader_IsRefusedWithFileAndReason(string header, string reason)
    {
        SafetensorsWriter.WriteRaw(FilePath, header, new byte[16]);
        AssertRefused(reason);
    }

    [Theory]
    [InlineData(ulong.MaxValue, "the header length is 18446744073709551615; at most 67108864 is allowed")]
    [InlineData(1UL << 40, "at most 67108864 is allowed")]
    [InlineData(1UL << 20, "It is truncated")]
    [InlineData(0UL, "the header is not valid")]
    public void Open_ALyingHeaderLength_IsRefused(ulong headerBytes, string reason)
    {
        SafetensorsWriter.WriteRaw(FilePath, Good, new byte[16], headerBytes);
        AssertRefused(reason);
    }

    [Fact]
    public void Open_EveryTruncation_IsRefused()
    {
        SafetensorsWriter.WriteRaw(FilePath, Good, new byte[16]);
        byte[] whole = File.ReadAllBytes(FilePath);
        for (int length = 0; length < whole.Length; length++)
        {
            File.WriteAllBytes(FilePath, whole[..length]);
            Assert.Throws<ModelLoadException>(() => SafetensorsFile.Open(FilePath).Dispose());
        }
    }

    [Fact]
    public void Open_EveryFlippedHeaderBit_OpensOrIsRefusedButNeverFailsOtherwise()
    {
        SafetensorsWriter.WriteRaw(FilePath, Good, new byte[16]);
        byte[] whole = File.ReadAllBytes(FilePath);
        int refused = 0;
        for (int bit = 0; bit < 8 * (8 + Encoding.UTF8.GetByteCount(Good)); bit++)
        {
            byte[] damaged = [.. whole];
            damaged[bit / 8] ^= (byte)(1 << (bit % 8));
            File.WriteAllBytes(FilePath, damaged);
            try
            {
                SafetensorsFile.Open(FilePath).Dispose();
            }
            catch (ModelLoadException)
            {
                refused++;
            }
        }
        Assert.True(refused > 500, $"only {refused} were refused");
    }

    [Fact]
    public void Open_NoSuchFile_SaysSo() => AssertRefused("does not exist");

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    private void AssertRefused(string reason)
    {
        var exception = Assert.Throws<ModelLoadException>(() => SafetensorsFile.Open(FilePath).Dispose());
        Assert.Contains(FilePath, exception.Message, StringComparison.Ordinal);
        Assert.Contains(reason, exception.Message, StringComparison.Ordinal);
    }
}
