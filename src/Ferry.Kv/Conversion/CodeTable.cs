using Ferry.Kv.Layout;

namespace Ferry.Kv.Conversion;

/// <summary>What each of the 256 codes of an fp8 becomes, one plane of 256 bytes for each byte of a target element, lowest first.</summary>
internal sealed class CodeTable
{
    public const int Codes = 256;

    private readonly byte[] _planes;

    public CodeTable(KvDType source, KvDType target, float ratio)
    {
        TargetElementBytes = target.Bytes();
        _planes = new byte[Codes * TargetElementBytes];
        for (var code = 0u; code < Codes; code++)
        {
            var value = ElementCodec.Decode(source, code);
            var bits = ElementCodec.Encode(target, ratio == 1f ? value : value * ratio);
            for (var plane = 0; plane < TargetElementBytes; plane++) { _planes[plane * Codes + (int)code] = (byte)(bits >> (8 * plane)); }
        }
    }

    public int TargetElementBytes { get; }

    public ref byte Plane(int plane) => ref _planes[plane * Codes];

    public uint this[byte code]
    {
        get
        {
            uint bits = 0;
            for (var plane = 0; plane < TargetElementBytes; plane++) { bits |= (uint)_planes[plane * Codes + code] << (8 * plane); }
            return bits;
        }
    }
}
