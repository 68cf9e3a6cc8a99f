namespace Ferry.Cache.Remote.Lm;

/// <summary>The two headers that LMCache has had.</summary>
internal enum LmForm
{
    /// <summary>Up to 0.3.2: 182 and 32 bytes, no location.</summary>
    Old,

    /// <summary>186 and 36 bytes.</summary>
    WithLocation,
}
