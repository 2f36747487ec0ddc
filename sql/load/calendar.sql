SELECT timezone, start_date FROM school_calendar;
