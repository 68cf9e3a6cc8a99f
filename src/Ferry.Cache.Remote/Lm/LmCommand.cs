namespace Ferry.Cache.Remote.Lm;

/// <summary>The first number of a request. Fixed by LMCache.</summary>
internal enum LmCommand
{
    Put = 1,
    Get = 2,
    Exist = 3,
    List = 4,
    Health = 5,
}
