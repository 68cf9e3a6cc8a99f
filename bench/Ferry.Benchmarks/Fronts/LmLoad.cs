using System.Text;
using Ferry.Cache.Remote.Lm;

namespace Ferry.Benchmarks.Fronts;

internal sealed class LmLoad : LoadConnection
{
    private static readonly LmShape Shape = new(1, 3, 2, 40, 256, 512);

    private readonly byte[] _value;
    private readonly byte[] _reply;

    public LmLoad(int port, int valueBytes)
        : base(port, valueBytes)
    {
        _value = new byte[valueBytes];
        new Random(valueBytes).NextBytes(_value);
        _reply = new byte[LmWire.ReplyBytes(LmForm.WithLocation) + valueBytes];
    }

    public override void Set(int key, int count)
    {
        for (var index = 0; index < count; index++)
        {
            Socket.Send((List<ArraySegment<byte>>)[LmWire.WriteRequest(LmForm.WithLocation, LmCommand.Put, ValueBytes, Shape, Name(key + index)), _value]);
        }
        // A PUT has no reply: the answer to a question behind it says that it is through.
        Socket.Send(LmWire.WriteRequest(LmForm.WithLocation, LmCommand.Exist, 0, LmShape.OfNothing, Name(key)));
        var reply = _reply.AsSpan(0, LmWire.ReplyBytes(LmForm.WithLocation));
        Receive(reply);
        Require(BitConverter.ToInt32(reply) == LmWire.SuccessCode, "200");
    }

    public override void Get(int key, int count)
    {
        for (var index = 0; index < count; index++)
        {
            Socket.Send(LmWire.WriteRequest(LmForm.WithLocation, LmCommand.Get, 0, LmShape.OfNothing, Name(key + index)));
            Receive(_reply);
            Require(BitConverter.ToInt32(_reply) == LmWire.SuccessCode && _reply[^1] == _value[^1], "the value");
        }
    }

    private byte[] Name(int key) => Encoding.ASCII.GetBytes($"meta-llama/Llama-3.1-8B@1@{ValueBytes % 251}@{key:x8}@bfloat16");
}
