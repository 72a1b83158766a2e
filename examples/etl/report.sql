.mode list
SELECT 'countries ' || count(DISTINCT code) || ', zones ' || count(DISTINCT zone) || ', periods ' || count(*) FROM period;
SELECT '';
SELECT 'time was defined anew most often in';
SELECT printf('%5d  %-22s %s', count(*), country, zone) FROM period GROUP BY code, zone ORDER BY count(*) DESC, country, zone LIMIT 5;
SELECT '';
SELECT 'odd offsets today';
SELECT DISTINCT printf('%+6.0f  %s', minutes, country) FROM period WHERE until = '' AND minutes % 30 <> 0 ORDER BY 1;
