namespace Ferry.Cache.Remote.Settings;

/// <summary>A shared tier that was asked for, as <see cref="RemoteTiers.Open"/> takes it.</summary>
public sealed record RemoteTierSettings(string Url, RemoteTierOptions Options)
{
    /// <summary>For reports; holds no secret.</summary>
    public string Shown => TierUrl.ForDisplay(Url);

    /// <summary>Without what the options may hold.</summary>
    public override string ToString() => Shown;
}
