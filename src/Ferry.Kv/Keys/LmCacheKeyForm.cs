namespace Ferry.Kv.Keys;

/// <summary>Which generation of LMCache printed an in-process key.</summary>
public enum LmCacheKeyForm
{
    /// <summary><c>model@world@worker@hash@dtype…</c></summary>
    Current,

    /// <summary>Mid-2025: <c>fmt@model@world@worker@hash@dtype…</c></summary>
    FormatFirst,

    /// <summary>June 2025: <c>fmt@model@world@worker@hash</c>, without a dtype.</summary>
    FormatFirstWithoutDType,
}
