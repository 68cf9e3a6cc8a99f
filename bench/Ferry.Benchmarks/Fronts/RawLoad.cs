using System.Buffers.Binary;

namespace Ferry.Benchmarks.Fronts;

internal sealed class RawLoad : LoadConnection
{
    private readonly byte[] _value;
    private readonly byte[] _question = new byte[RawServerProcess.QuestionBytes];

    public RawLoad(int port, int valueBytes)
        : base(port, valueBytes)
    {
        _value = new byte[valueBytes];
        BinaryPrimitives.WriteInt32LittleEndian(_question.AsSpan(4), valueBytes);
    }

    public override void Set(int key, int count)
    {
        for (var index = 0; index < count; index++)
        {
            Ask(1, key + index);
            Socket.Send(_value);
        }
        Receive(_value.AsSpan(0, count));
    }

    public override void Get(int key, int count)
    {
        for (var index = 0; index < count; index++)
        {
            Ask(0, key + index);
        }
        for (var index = 0; index < count; index++)
        {
            Receive(_value);
        }
    }

    private void Ask(int operation, int key)
    {
        BinaryPrimitives.WriteInt32LittleEndian(_question, operation);
        BinaryPrimitives.WriteInt32LittleEndian(_question.AsSpan(8), key);
        Socket.Send(_question);
    }
}
