namespace Ferry.Kv.Layout;

/// <summary>Element type of KV bytes. The numbers reach disk and wire (docs/wire/record.md) and never change.</summary>
public enum KvDType : byte
{
    Float32 = 1,
    Float16 = 2,
    BFloat16 = 3,

    /// <summary>OCP fp8 e4m3 (bias 7, max 448, NaN 0x7F and 0xFF): Gaudi3, NVIDIA.</summary>
    Float8E4M3Fn = 4,

    /// <summary>fp8 e4m3 with one zero and one NaN (bias 8, max 240, NaN 0x80): MI300X. The same bits mean half the value of e4m3fn.</summary>
    Float8E4M3Fnuz = 5,

    /// <summary>OCP fp8 e5m2 (bias 15, max 57344).</summary>
    Float8E5M2 = 6,
}
